"""FLOPs and bytes of a request, from the shapes that a real call has.

A neutral or recorded request runs once on the CPU with TensorFlow's full trace, which
tells every tensor's shape, dynamic ones too. From them, by op:

- MatMul, BatchMatMul, Einsum, Conv2D: two FLOPs per number of the result and number
  that is summed for it; operands read, result written once.
- gathers: no FLOPs; what they take is read and written, not the table behind it.
- top-k: n FLOPs per row of n (one comparison each); input read, result written.
- reductions and segment sums: one FLOP per input number.
- scatters and counts: one FLOP per number that is put in or counted, not per index or
  number of what it is put into.
- all else: one FLOP per float of the result (none for integers); inputs and results.
- constants, variable reads, reshapes, branches' switches and the like are views:
  nothing.

An op in a loop counts once, however often it ran. A call that stays one node counts as
any other op: what its function does is not seen (`uncounted`).
"""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import node_def_pb2, step_stats_pb2
from tensorflow.core.protobuf import config_pb2, rewriter_config_pb2

from serving.inspect.kernels import Place, place
from serving.inspect.opened import functions

_VIEWS = frozenset(
    ("Const", "Placeholder", "VarHandleOp", "ReadVariableOp", "HashTableV2")
    + ("Identity", "IdentityN", "NoOp", "Reshape", "Shape", "ExpandDims", "Squeeze")
    + ("Bitcast", "StopGradient", "Rank", "Size", "EnsureShape", "PreventGradient")
    + ("Switch", "_SwitchN", "Merge", "Enter", "Exit", "NextIteration", "LoopCond")
    + ("_Arg", "_Retval", "_Send", "_Recv", "_HostSend", "_HostRecv")
)
_GATHERS = frozenset(
    ("GatherV2", "GatherNd", "ResourceGather", "ResourceGatherNd")
    + ("Slice", "StridedSlice")
)
_PRODUCTS = frozenset(
    ("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "Conv2D")
)
_FOLDS = frozenset(
    ("Sum", "Max", "Min", "Mean", "Prod", "Any", "All", "ArgMax", "ArgMin", "TopKV2")
    + ("UnsortedSegmentSum", "UnsortedSegmentMax", "UnsortedSegmentMin", "SegmentSum")
    + ("Cumsum", "DenseBincount")
)
# Which input holds the numbers that are put in, or counted.
_SCATTERS = {
    "ScatterNd": 1,
    "TensorScatterAdd": 2,
    "TensorScatterSub": 2,
    "TensorScatterMax": 2,
    "TensorScatterMin": 2,
    "TensorScatterUpdate": 2,
    "RaggedBincount": 1,
}
_VENDOR = ("_MklNative", "_Mkl")  # oneDNN's names of the same ops


@dataclasses.dataclass(frozen=True)
class Shaped:
    """A tensor that the call had."""

    dtype: tf.DType
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * max(self.dtype.size or 0, 0)


@dataclasses.dataclass(frozen=True)
class OpCost:
    """What one executed node costs."""

    name: str
    op: str
    place: Place
    flops: int
    bytes: int
    moved: int  # bytes of inputs that a node on the other side made, at most
    product_of: str = ""  # a matrix product: the type that it multiplies


def trace(
    session: Any, fetches: Sequence[str], feeds: Mapping[str, np.ndarray]
) -> config_pb2.RunMetadata:
    """Runs a graph once; shapes of all that ran, and the graph that did.

    Args:
      session: made with `session_config()`.
      fetches, feeds: by tensor name.
    """
    options = config_pb2.RunOptions(
        trace_level=config_pb2.RunOptions.FULL_TRACE, output_partition_graphs=True
    )
    metadata = config_pb2.RunMetadata()
    session.run(list(fetches), dict(feeds), options=options, run_metadata=metadata)
    return metadata


def session_config() -> config_pb2.ConfigProto:
    """As the server's, without the fusions that hide what an op is."""
    config = config_pb2.ConfigProto()
    rewrite = config.graph_options.rewrite_options
    rewrite.remapping = rewriter_config_pb2.RewriterConfig.OFF
    return config


def costs(metadata: config_pb2.RunMetadata) -> list[OpCost]:
    """Of every node that ran."""
    shapes = _shapes(metadata.step_stats)
    found = []
    for graph in metadata.partition_graphs:
        places = {n.name: place(_renamed(n, plain_op(n.op))) for n in graph.node}
        for node in graph.node:
            if node.name not in shapes:
                continue
            refs = [ref for ref in node.input if not ref.startswith("^")]
            # A list: an op may have one tensor twice.
            given = [(ref, t) for ref in refs if (t := _input(shapes, ref))]
            inputs = [tensor for _, tensor in given]
            made = shapes[node.name]
            outputs = [made[slot] for slot in sorted(made)]
            flops, nbytes = op_cost(node, inputs, outputs)
            here = places[node.name]
            moved = sum(
                tensor.nbytes
                for ref, tensor in given
                if (places.get(ref.split(":")[0]) is Place.GPU) != (here is Place.GPU)
            )
            op = plain_op(node.op)
            product = node.attr["T"].type if op in _PRODUCTS else 0
            of = tf.as_dtype(product).name if product else ""
            found.append(OpCost(node.name, op, here, flops, nbytes, moved, of))
    return found


def uncounted(metadata: config_pb2.RunMetadata) -> list[str]:
    """Ops that ran functions which `costs` cannot see into, sorted, each once."""
    ran = _shapes(metadata.step_stats)
    nodes = (node for graph in metadata.partition_graphs for node in graph.node)
    return sorted({n.op for n in nodes if n.name in ran and any(functions(n))})


def op_cost(
    node: node_def_pb2.NodeDef, inputs: list[Shaped], outputs: list[Shaped]
) -> tuple[int, int]:
    """FLOPs and bytes of one node, by the rules at this file's head."""
    op = plain_op(node.op)
    written = sum(tensor.nbytes for tensor in outputs)
    read = sum(tensor.nbytes for tensor in inputs)
    if op in _VIEWS:
        return 0, 0
    if op in _GATHERS:
        return 0, 2 * written
    if op in _PRODUCTS and len(inputs) >= 2:
        return 2 * outputs[0].size * _summed(node, op, inputs), read + written
    if op in _SCATTERS:
        return inputs[_SCATTERS[op]].size, read + written
    if op in _FOLDS:
        return (inputs[0].size if inputs else 0), read + written
    floats = sum(tensor.size for tensor in outputs if tensor.dtype.is_floating)
    return floats, read + written


def plain_op(op: str) -> str:
    """An op's own name, without a vendor's prefix."""
    for prefix in _VENDOR:
        if op.startswith(prefix):
            return op.removeprefix(prefix)
    return op


def _renamed(node: node_def_pb2.NodeDef, op: str) -> node_def_pb2.NodeDef:
    if op == node.op:
        return node
    copied = node_def_pb2.NodeDef()
    copied.CopyFrom(node)
    copied.op = op
    return copied


def _summed(node: node_def_pb2.NodeDef, op: str, inputs: list[Shaped]) -> int:
    """How many products are summed for each number of a product's result."""
    if op == "Conv2D":
        return math.prod(inputs[1].shape[:3])  # height, width, channels
    if op != "Einsum":
        return inputs[0].shape[-2 if _transposed(node) else -1]
    terms, _, result = node.attr["equation"].s.decode().partition("->")
    sizes: dict[str, int] = {}
    for term, tensor in zip(terms.split(","), inputs, strict=True):
        before, _, after = term.partition("...")
        sizes |= dict(zip(before, tensor.shape, strict=False))
        sizes |= dict(zip(reversed(after), reversed(tensor.shape), strict=False))
    return math.prod(n for label, n in sizes.items() if label not in result)


def _transposed(node: node_def_pb2.NodeDef) -> bool:
    return bool(node.attr["transpose_a"].b or node.attr["adj_x"].b)


def _shapes(stats: step_stats_pb2.StepStats) -> dict[str, dict[int, Shaped]]:
    """Outputs of each node by slot; a switch fills only that of the way it took."""
    found: dict[str, dict[int, Shaped]] = defaultdict(dict)
    for device in stats.dev_stats:
        for node in device.node_stats:
            tensors = found[node.node_name]  # in a loop more than once
            for output in node.output:
                described = output.tensor_description
                dims = tuple(dim.size for dim in described.shape.dim)
                kind = tf.as_dtype(described.dtype or tf.float32.as_datatype_enum)
                tensors[output.slot] = Shaped(kind, dims)
    return dict(found)


def _input(shapes: dict[str, dict[int, Shaped]], ref: str) -> Shaped | None:
    name, _, slot = ref.partition(":")
    return shapes.get(name, {}).get(int(slot or 0))
