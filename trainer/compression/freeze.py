"""A signature as one flat graph, its numbers taken out of it."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.core.framework import graph_pb2, node_def_pb2
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)

from trainer.compression.clean_graph import clean

# Smaller constants stay where they are.
_MIN_VALUES = 256


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """An array that the graph reads."""

    name: str  # of the variable, or of the constant
    key: str  # equal for equal type, shape and content
    values: npt.NDArray[Any]
    numbers: tf.DType  # what the graph computes with


@dataclasses.dataclass(frozen=True, kw_only=True)
class FrozenSignature:
    """A function of tensors without variables.

    Attributes:
      graph: without placeholders, and without the constants that are in `tables`.
      inputs: alias -> (node name, spec).
      outputs: alias -> tensor name.
      resources: node name -> handle of a hash table.
      tables: node name -> the constant that stood there.
    """

    name: str
    graph: graph_pb2.GraphDef
    inputs: dict[str, tuple[str, tf.TensorSpec]]
    outputs: dict[str, str]
    resources: dict[str, tf.Tensor]
    tables: dict[str, Table]


def freeze(name: str, function: Any) -> FrozenSignature:
    """The flat form of a concrete function of named inputs.

    Called functions become part of the graph, so that what several of them share is
    there once; loops and branches stay functions.

    Args:
      name: of the signature.
      function: of a loaded model's `signatures`.
    """
    frozen = convert_variables_to_constants_v2(function, lower_control_flow=False)
    graph = frozen.graph.as_graph_def()
    specs = function.structured_input_signature[1]
    captured = {placeholder.name for _, placeholder in function.graph.captures}
    given = [t.name for t in function.inputs if t.name not in captured]
    inputs = {
        alias: (tensor.split(":")[0], specs[alias])
        for alias, tensor in zip(sorted(specs), given, strict=True)
    }
    outputs = dict(
        zip(
            sorted(function.structured_outputs),
            (tensor.name for tensor in frozen.outputs),
            strict=True,
        )
    )
    names = _variable_names(function)
    resources, labels = {}, {}
    for handle, placeholder in function.graph.captures:
        node = placeholder.name.split(":")[0]
        if handle.dtype == tf.resource and id(handle) not in names:
            resources[node] = handle
        labels[node] = names.get(id(handle), node)
    outside = {node for node, _ in inputs.values()} | set(resources)
    arrays = _take_arrays(graph)
    graph, outputs, renamed = clean(graph, outputs, outside)
    labels = {renamed[node]: label for node, label in labels.items() if node in renamed}
    tables = {}
    for node in graph.node:
        key = _key_in(node)
        if key in arrays:
            label = labels.get(node.name, node.name)
            values = arrays[key]
            numbers = tf.as_dtype(values.dtype)
            tables[node.name] = Table(
                name=label, key=key, values=values, numbers=numbers
            )
    used = {source.split(":")[0] for node in graph.node for source in node.input}
    _remove(graph, outside | set(tables))
    return FrozenSignature(
        name=name,
        graph=graph,
        inputs=inputs,
        outputs=outputs,
        resources={n: handle for n, handle in resources.items() if n in used},
        tables=tables,
    )


def _take_arrays(graph: graph_pb2.GraphDef) -> dict[str, npt.NDArray[Any]]:
    """Key -> array of the larger constants; each key stands in its array's place.

    What follows copies nodes about, which is then cheap.
    """
    arrays = {}
    for node in graph.node:
        if node.op != "Const" or node.attr["dtype"].type == tf.string.as_datatype_enum:
            continue
        held = node.attr["value"].tensor
        values = tf.make_ndarray(held)
        if values.size < _MIN_VALUES or values.dtype.kind not in "fiu":
            continue
        digest = hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
        key = f"{values.dtype}{values.shape}{digest}"
        arrays[key] = values
        held.CopyFrom(tf.make_tensor_proto(key))
    return arrays


def _key_in(node: node_def_pb2.NodeDef) -> str:
    if node.op != "Const" or len(node.attr["value"].tensor.string_val) != 1:
        return ""
    held = node.attr["value"].tensor
    return str(held.string_val[0].decode("utf-8", "replace"))


def _variable_names(function: Any) -> dict[int, str]:
    return {id(v.handle): v.name.split(":")[0] for v in function.graph.variables}


def _remove(graph: graph_pb2.GraphDef, names: set[str]) -> None:
    kept = [node for node in graph.node if node.name not in names]
    del graph.node[:]
    graph.node.extend(kept)
