"""A frozen graph that reads stored codes where it read float arrays."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import graph_pb2, node_def_pb2, types_pb2

from trainer.compression.plan import Use
from trainer.compression.quantize import Array, Quantized

_PRODUCTS = ("MatMul", "BatchMatMulV2")
_FLOAT = types_pb2.DT_FLOAT
# What a graph reads of a table; VARIABLE is the codes' handle, to gather from.
CODES, SCALES, VARIABLE = "codes", "scales", "variable"
# Gathers from a tensor have GPU kernels for these, those from a variable for others.
_GATHERED_AS_TENSORS = (
    types_pb2.DT_FLOAT,
    types_pb2.DT_HALF,
    types_pb2.DT_BFLOAT16,
    types_pb2.DT_INT64,
)


def uses_of(graph: graph_pb2.GraphDef, table: str) -> list[Use]:
    """How the nodes of a graph read one table."""
    constants = {node.name: node for node in graph.node if node.op == "Const"}
    return [
        _use(node, place, constants)
        for node in graph.node
        for place, source in enumerate(node.input)
        if source.split(":")[0] == table
    ]


def _use(
    node: node_def_pb2.NodeDef, place: int, constants: dict[str, node_def_pb2.NodeDef]
) -> Use:
    axis = None
    if node.op == "GatherV2" and place == 0 and not node.attr["batch_dims"].i:
        of_axis = constants.get(node.input[2].split(":")[0])
        if of_axis is not None:
            axis = int(tf.make_ndarray(of_axis.attr["value"].tensor))
    elif node.op in _PRODUCTS and place == 1:
        flag = "transpose_b" if node.op == "MatMul" else "adj_y"
        axis = 0 if node.attr[flag].b else 1
    return Use(op=node.op, place=place, axis=axis)


def read_stored(
    graph: graph_pb2.GraphDef,
    table: str,
    dtype: tf.DType,
    stored: Array | Quantized,
) -> None:
    """Changes every reader of `table`, in place, to read `stored` instead.

    A gather takes codes and turns what it took into numbers, so that no copy of the
    whole table is made; a matrix product is scaled behind, not in, its matrix. Rows of
    8 or 16 bits are gathered from the variable itself, which has GPU kernels for that;
    from then on TensorFlow copies the variable wherever it is read whole.

    Afterwards the graph reads, as it needs them, `TABLE/codes`, `TABLE/variable` and,
    of a Quantized, `TABLE/scales`.

    Args:
      table: node name, absent from the graph.
      dtype: of the numbers that the readers expect.
    """
    editor = _Editor(graph, table, dtype.as_datatype_enum)
    constants = {node.name: node for node in graph.node if node.op == "Const"}
    readers = [
        (node, place)
        for node in list(graph.node)
        for place, source in enumerate(node.input)
        if source.split(":")[0] == table
    ]
    for node, place in readers:
        use = _use(node, place, constants)
        if use.op == "GatherV2" and use.axis is not None:
            editor.gather(node, use.axis, stored)
        elif use.axis is not None and _scaled_behind(stored, use.axis):
            editor.product(node, stored)
        else:
            node.input[place] = editor.whole(stored)


def _scaled_behind(stored: Array | Quantized, axis: int) -> bool:
    """Whether scales differ along one axis of a matrix, which the product keeps."""
    return (
        isinstance(stored, Quantized)
        and not stored.block
        and stored.codes.ndim == 2
        and stored.scales.shape[1 - axis] == 1
    )


@dataclasses.dataclass
class _Editor:
    graph: graph_pb2.GraphDef
    table: str
    dtype: int
    count: int = 0

    def gather(
        self, node: node_def_pb2.NodeDef, axis: int, stored: Array | Quantized
    ) -> None:
        """The gather takes codes; what read it reads numbers."""
        taken = self._gathered(CODES, node, axis, _type_of(stored))
        numbers = self._cast(taken, _type_of(stored))
        if isinstance(stored, Quantized):
            scales = f"{self.table}/{SCALES}"
            if stored.scales.shape[axis] != 1:
                kind = _type_of(stored.scales)
                scales = self._gathered(SCALES, node, axis, kind)
            numbers = self._scaled(numbers, scales, stored)
        self._take_over(node, numbers)

    def _gathered(
        self, part: str, node: node_def_pb2.NodeDef, axis: int, kind: int
    ) -> str:
        """What `node` gathers, of the codes or the scales."""
        if axis == 0 and kind not in _GATHERED_AS_TENSORS:
            variable = f"{self.table}/{VARIABLE}"
            name = self._add("ResourceGather", [variable, node.input[1]])
            added = self.graph.node[-1]
            added.attr["dtype"].type = kind
        else:
            name = self._add("GatherV2", [f"{self.table}/{part}", *node.input[1:3]])
            added = self.graph.node[-1]
            added.attr["Tparams"].type = kind
            added.attr["Taxis"].type = node.attr["Taxis"].type
        added.attr["Tindices"].type = node.attr["Tindices"].type
        added.attr["batch_dims"].i = 0
        return name

    def product(self, node: node_def_pb2.NodeDef, stored: Array | Quantized) -> None:
        """The product's matrix holds codes; its result is scaled."""
        assert isinstance(stored, Quantized)
        node.input[1] = self._cast(f"{self.table}/{CODES}", _type_of(stored))
        product = node_def_pb2.NodeDef()
        product.CopyFrom(node)
        product.name = f"{node.name}/codes"
        flat = self._constant(np.array([-1], np.int32))
        scales = self._reshape(f"{self.table}/{SCALES}", flat, _FLOAT)
        # Scales are float32: in bfloat16 they would be one more thing rounded.
        scaled = self._binary("Mul", self._as_float(product.name), scales, _FLOAT)
        self._take_over(node, self._cast(scaled, _FLOAT))
        self.graph.node.append(product)

    def whole(self, stored: Array | Quantized) -> str:
        """The table's numbers, made for one reader."""
        numbers = self._cast(f"{self.table}/{CODES}", _type_of(stored))
        if not isinstance(stored, Quantized):
            return numbers
        return self._scaled(numbers, f"{self.table}/{SCALES}", stored)

    def _scaled(self, numbers: str, scales: str, stored: Quantized) -> str:
        scales = self._cast(scales, _type_of(stored.scales))
        if stored.block:
            return self._in_blocks(numbers, scales, stored)
        return self._binary("Mul", numbers, scales)

    def _in_blocks(self, numbers: str, scales: str, stored: Quantized) -> str:
        """[..., columns] numbers times [..., columns / block] scales."""
        columns = stored.codes.shape[1]
        blocks = np.array([-1, columns // stored.block, stored.block], np.int32)
        shaped = self._reshape(numbers, self._constant(blocks))
        each = self._constant(np.array([-1, columns // stored.block, 1], np.int32))
        scaled = self._binary("Mul", shaped, self._reshape(scales, each))
        # Rank 2 only: the funnel gathers one list of rows.
        flat = self._constant(np.array([-1, columns], np.int32))
        return self._reshape(scaled, flat)

    def _take_over(self, node: node_def_pb2.NodeDef, tensor: str) -> None:
        """What read `node` reads `tensor`."""
        node.op = "Identity"
        node.input[:] = [tensor]
        node.attr.clear()
        node.attr["T"].type = self.dtype

    def _cast(self, tensor: str, source: int) -> str:
        if source == self.dtype:
            return tensor
        if (source, self.dtype) == (types_pb2.DT_UINT32, types_pb2.DT_INT32):
            name, of, to = self._add("Bitcast", [tensor]), "T", "type"
        else:
            name, of, to = self._add("Cast", [tensor]), "SrcT", "DstT"
        self.graph.node[-1].attr[of].type = source
        self.graph.node[-1].attr[to].type = self.dtype
        return name

    def _as_float(self, tensor: str) -> str:
        """What is of the readers' type, as float32."""
        if self.dtype == _FLOAT:
            return tensor
        name = self._add("Cast", [tensor])
        self.graph.node[-1].attr["SrcT"].type = self.dtype
        self.graph.node[-1].attr["DstT"].type = _FLOAT
        return name

    def _binary(self, op: str, left: str, right: str, kind: int = 0) -> str:
        name = self._add(op, [left, right])
        self.graph.node[-1].attr["T"].type = kind or self.dtype
        return name

    def _reshape(self, tensor: str, shape: str, kind: int = 0) -> str:
        name = self._add("Reshape", [tensor, shape])
        self.graph.node[-1].attr["T"].type = kind or self.dtype
        self.graph.node[-1].attr["Tshape"].type = tf.int32.as_datatype_enum
        return name

    def _constant(self, values: Array) -> str:
        name = self._add("Const", [])
        node = self.graph.node[-1]
        node.attr["dtype"].type = tf.as_dtype(values.dtype).as_datatype_enum
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values))
        return name

    def _add(self, op: str, sources: list[str]) -> str:
        self.count += 1
        name = f"{self.table}/{op}_{self.count}"
        self.graph.node.add(name=name, op=op, input=sources)
        return name


def _type_of(stored: Array | Quantized) -> int:
    array = stored.codes if isinstance(stored, Quantized) else stored
    return int(tf.as_dtype(array.dtype).as_datatype_enum)
