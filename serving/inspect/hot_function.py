"""The hot path of a signature as a function of its own: numbers in, numbers out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import graph_pb2
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)

from core.errors import ConfigError
from serving.inspect.flat_graph import FlatGraph, flatten
from serving.inspect.hot_path import Part, parts

_OF_UNKNOWN_LENGTH = {"Where", "Unique", "UniqueV2", "DynamicPartition"}
_HOST_ONLY = (tf.string, tf.resource, tf.variant)


@dataclasses.dataclass(frozen=True, kw_only=True)
class HotFunction:
    """What runs on the accelerator.

    Attributes:
      function: a concrete function of tensors; gives a list of tensors.
      look_up: inputs of the signature -> inputs of the function in their order, made
        on the host.
    """

    function: Any
    look_up: Callable[[Mapping[str, np.ndarray]], list[np.ndarray]]

    def compiled(self) -> Any:
        """The function through XLA, for the device that it is called on.

        Raises:
          ConfigError: the length of some tensor depends on values. XLA compiles that
            too, but pages came out wrong (docs/gpu.md).
        """
        found = {op.type for op in self.function.graph.get_operations()}
        if dynamic := sorted(found & _OF_UNKNOWN_LENGTH):
            raise ConfigError(
                f"A hot path for XLA must not hold {', '.join(dynamic)}, whose results "
                "have a length that depends on values. Build the bundle with "
                "`souk run SHOP --static-shapes`."
            )
        return tf.function(self.function, jit_compile=True, autograph=False)


def hot_function(model_dir: Path, signature: str) -> HotFunction:
    """Cuts the hot path out of a model.

    What the request's strings are as numbers, and the request's own numbers, become the
    function's inputs. Its outputs are what the page's strings are picked by, and the
    page's numbers.

    Args:
      model_dir: the SavedModel's folder.
      signature: `recommend`, for example.
    """
    loaded = tf.saved_model.load(str(model_dir))
    whole = loaded.signatures[signature]
    frozen = convert_variables_to_constants_v2(whole, aggressive_inlining=True)
    definition = frozen.graph.as_graph_def()
    # Control edges tie it to the strings; without state or asserts they order nothing.
    for node in definition.node:
        data = [source for source in node.input if not source.startswith("^")]
        del node.input[:]
        node.input.extend(data)
    _read_now(definition, whole)
    flat = flatten(definition, [tensor.name for tensor in frozen.outputs])
    inputs, outputs = _border(flat, [tensor.name for tensor in frozen.outputs])
    wrapped = tf.compat.v1.wrap_function(
        lambda: tf.import_graph_def(definition, name=""), []
    )
    graph = wrapped.graph
    pruned = wrapped.prune(
        [graph.get_tensor_by_name(name) for name in inputs],
        [graph.get_tensor_by_name(name) for name in outputs],
    )
    return HotFunction(function=pruned, look_up=_look_up(frozen, whole, inputs))


def _read_now(definition: graph_pb2.GraphDef, whole: Any) -> None:
    """Puts in the numbers of variables that the model's initializer filled.

    Freezing knows those of the checkpoint only.
    """
    handles = {p.name.split(":")[0]: handle for handle, p in whole.graph.captures}
    nodes = {node.name: node for node in definition.node}
    for node in definition.node:
        if node.op != "ReadVariableOp":
            continue
        source = node.input[0].split(":")[0]
        while nodes[source].op == "Identity":
            source = nodes[source].input[0].split(":")[0]
        kind = tf.as_dtype(node.attr["dtype"].type)
        handle = handles.get(source)
        if handle is None:  # made inside the graph, by its name
            made = nodes[source].attr
            handle = tf.raw_ops.VarHandleOp(
                dtype=kind,
                shape=tf.TensorShape(made["shape"].shape),
                shared_name=made["shared_name"].s.decode(),
            )
        values = tf.raw_ops.ReadVariableOp(resource=handle, dtype=kind)
        node.op = "Const"
        del node.input[:]
        node.attr.clear()
        node.attr["dtype"].type = kind.as_datatype_enum
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values))


def _border(flat: FlatGraph, fetches: list[str]) -> tuple[list[str], list[str]]:
    """Tensors that enter and leave the hot path."""
    where = parts(flat)
    inputs: dict[str, None] = {}
    outputs: dict[str, None] = {}
    for name, node in flat.items():
        for edge in node.inputs:
            source = flat[edge.node]
            dtype = tf.as_dtype(source.output_types()[edge.index])
            if dtype in _HOST_ONLY:
                continue
            tensor = f"{edge.node}:{edge.index}"
            given = source.op == "Placeholder" or where[edge.node] is Part.WORDS
            if where[name] is Part.HOT and given:
                inputs[tensor] = None
            if where[name] is Part.ANSWER and where[edge.node] is Part.HOT:
                outputs[tensor] = None
    for fetch in fetches:
        if where[fetch.split(":")[0]] is Part.HOT:
            outputs[fetch] = None
    fixed = {n for n in outputs if flat[n.split(":")[0]].op == "Const"}
    return list(inputs), [name for name in outputs if name not in fixed]


def _look_up(
    frozen: Any, whole: Any, tensors: list[str]
) -> Callable[[Mapping[str, np.ndarray]], list[np.ndarray]]:
    graph: Any = frozen.graph
    found = frozen.prune(
        frozen.inputs, [graph.get_tensor_by_name(name) for name in tensors]
    )
    aliases = sorted(whole.structured_input_signature[1])
    handles = {p.name: handle for handle, p in whole.graph.captures}
    names = [t.name for t in whole.inputs if t.name not in handles]
    by_name = dict(zip(names, aliases, strict=True))

    def look_up(request: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        feeds = [
            tf.constant(request[by_name[t.name]], t.dtype)
            if t.name in by_name
            else handles[t.name]
            for t in frozen.inputs
        ]
        with tf.device("/CPU:0"):
            return [tensor.numpy() for tensor in found(*feeds)]

    return look_up
