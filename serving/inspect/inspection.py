"""Everything that `souk inspect` says of a bundle."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2
from tensorflow_serving.apis import prediction_log_pb2

from core.errors import ArtifactError
from core.signatures import SERVING_DEFAULT
from serving.inspect import cost, flat_graph, hot_path, kernels, opened
from serving.inspect.gpus import Gpu
from serving.inspect.reasons import reason
from serving.model_server import tensor_codec
from serving.model_server.saved_model import INIT_OP
from serving.model_server.warmup import WARMUP_FILE

Feeds = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class OpRow:
    """Nodes of one op, types, part and place."""

    op: str
    types: tuple[str, ...]  # of its outputs
    part: str  # hot_path.Part
    place: str  # kernels.Place
    devices: tuple[str, ...]
    count: int
    why: str  # '' where the GPU computes it


@dataclasses.dataclass(frozen=True, kw_only=True)
class BatchCost:
    """A recorded request of one batch size, per batch."""

    batch_size: int
    flops: int  # of all nodes
    bytes: int  # read and written, of all nodes
    gpu_flops: int  # of those that the GPU computes
    gpu_bytes: int
    gpu_kernels: int  # launches, at most one per node
    moved_bytes: int  # between host and GPU, at most
    # Each op as fast as memory and the units of its type allow, one after the other.
    roofline_us: float
    moved_us: float  # the same for the bus
    uncounted: tuple[str, ...]  # ops whose functions could not be seen into


@dataclasses.dataclass(frozen=True, kw_only=True)
class SignatureReport:
    """One signature."""

    name: str
    ops: tuple[OpRow, ...]
    costs: tuple[BatchCost, ...]  # by batch size; empty without recorded requests

    @property
    def fallbacks(self) -> tuple[OpRow, ...]:
        """Rows of the hot path that have no GPU kernel."""
        return tuple(
            row
            for row in self.ops
            if row.part == hot_path.Part.HOT.value
            and row.place == kernels.Place.HOST.value
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inspection:
    """A bundle, and the GPU that its times are for."""

    model: str
    gpu: Gpu
    signatures: tuple[SignatureReport, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; `fallbacks` written out."""
        values = dataclasses.asdict(self)
        for each, made in zip(values["signatures"], self.signatures, strict=True):
            each["fallbacks"] = [dataclasses.asdict(row) for row in made.fallbacks]
        return values


def inspect_model(model_dir: Path, gpu: Gpu, *, measure: bool = True) -> Inspection:
    """Ops, devices and, where `measure`, the cost of each recorded request.

    Args:
      model_dir: the SavedModel's folder. Its warm-up requests are what is measured.
      gpu: whose roofline is computed.
      measure: False: the graph is read, nothing runs.

    Raises:
      ArtifactError: there is no SavedModel, or a recorded request does not fit it.
    """
    graph = flat_graph.load_meta_graph(model_dir)
    measured = _measure(model_dir, gpu) if measure else {}
    reports = [
        SignatureReport(
            name=name,
            ops=_op_rows(graph, definition),
            costs=tuple(measured.get(name, ())),
        )
        for name, definition in sorted(graph.signature_def.items())
        if name != INIT_OP and definition.outputs
    ]
    return Inspection(model=str(model_dir), gpu=gpu, signatures=tuple(reports))


def _op_rows(
    graph: meta_graph_pb2.MetaGraphDef, definition: meta_graph_pb2.SignatureDef
) -> tuple[OpRow, ...]:
    fetches = [info.name for info in definition.outputs.values()]
    flat = flat_graph.flatten(graph.graph_def, fetches)
    parts = hot_path.parts(flat)
    counts: Counter[OpRow] = Counter()
    for name, node in flat.items():
        where = kernels.place(node.definition)
        types = tuple(flat_graph.type_name(kind) for kind in node.output_types())
        off = where is kernels.Place.HOST
        row = OpRow(
            op=node.op,
            types=types,
            part=parts[name].value,
            place=where.value,
            devices=kernels.devices(node.definition),
            count=0,
            why=reason(node.op, has_strings=_strings(node, flat)) if off else "",
        )
        counts[row] += 1
    rows = (dataclasses.replace(row, count=n) for row, n in counts.items())
    return tuple(sorted(rows, key=lambda r: (r.part, r.place, r.op, r.types)))


def _strings(node: flat_graph.FlatNode, flat: flat_graph.FlatGraph) -> bool:
    given = (flat[edge.node].output_types() for edge in node.inputs)
    kinds = [*node.output_types(), *(kind for kinds in given for kind in kinds)]
    return tf.string.as_datatype_enum in kinds


def _measure(model_dir: Path, gpu: Gpu) -> Mapping[str, list[BatchCost]]:
    requests = list(recorded_requests(model_dir))
    found: dict[str, list[BatchCost]] = defaultdict(list)
    with tf.Graph().as_default() as graph:
        session = tf.compat.v1.Session(graph=graph, config=cost.session_config())
        with session:
            loaded = opened.load_opened(session, model_dir)
            for name, values in requests:
                definition = _definition(loaded, name, values, model_dir)
                feeds = {definition.inputs[k].name: v for k, v in values.items()}
                fetches = [info.name for info in definition.outputs.values()]
                traced = cost.trace(session, fetches, feeds)
                found[name].append(_batch_cost(_batch_size(values), traced, gpu))
    return found


def _definition(
    loaded: meta_graph_pb2.MetaGraphDef, name: str, values: Feeds, model_dir: Path
) -> meta_graph_pb2.SignatureDef:
    """The signature that a recorded request asks for; it has to fit the request."""
    signatures = set(loaded.signature_def) - {INIT_OP}
    if name not in signatures:
        raise _misfit(model_dir, f"signature `{name}`", signatures)
    definition = loaded.signature_def[name]
    unknown = sorted(values.keys() - definition.inputs.keys())
    if unknown:
        raise _misfit(model_dir, f"`{unknown[0]}` of `{name}`", definition.inputs)
    return definition


def _misfit(model_dir: Path, received: str, known: Iterable[str]) -> ArtifactError:
    return ArtifactError(
        f"Requests in `{model_dir / WARMUP_FILE}` must name signatures and inputs of "
        f"the model. Received: {received}; there are {', '.join(sorted(known))}. "
        "TensorFlow Serving would refuse it as well: write the file with the model."
    )


def recorded_requests(model_dir: Path) -> Iterable[tuple[str, Feeds]]:
    """Signature and inputs of each Predict request that lies in the model.

    One that names no signature means `serving_default`, as for TensorFlow Serving.
    """
    path = model_dir / WARMUP_FILE
    if not path.is_file():
        return
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        if log.HasField("predict_log"):
            request = log.predict_log.request
            values = {k: tensor_codec.decode(t) for k, t in request.inputs.items()}
            yield request.model_spec.signature_name or SERVING_DEFAULT, values


def _batch_size(values: Feeds) -> int:
    return max((len(value) for value in values.values() if value.ndim), default=1)


def _batch_cost(size: int, traced: config_pb2.RunMetadata, gpu: Gpu) -> BatchCost:
    ran = cost.costs(traced)
    on_gpu = [op for op in ran if op.place is kernels.Place.GPU and op.bytes]
    seconds = sum(
        max(op.flops / gpu.product_rate(op.product_of), op.bytes / gpu.bytes_per_s)
        for op in on_gpu
    )
    moved = sum(op.moved for op in ran)
    return BatchCost(
        batch_size=size,
        flops=sum(op.flops for op in ran),
        bytes=sum(op.bytes for op in ran),
        gpu_flops=sum(op.flops for op in on_gpu),
        gpu_bytes=sum(op.bytes for op in on_gpu),
        gpu_kernels=len(on_gpu),
        moved_bytes=moved,
        roofline_us=1e6 * seconds,
        moved_us=1e6 * moved / gpu.host_bytes_per_s,
        uncounted=tuple(cost.uncounted(traced)),
    )
