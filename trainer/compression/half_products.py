"""Matrix products in bfloat16, which tensor cores multiply at many times the rate."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf
from tensorflow.core.framework import graph_pb2, node_def_pb2, types_pb2

from trainer.compression.freeze import FrozenSignature

# No Einsum: its CPU kernel adds up in bfloat16.
_PRODUCTS = ("MatMul", "BatchMatMulV2")
_FLOAT, _HALF = types_pb2.DT_FLOAT, types_pb2.DT_BFLOAT16


def in_bfloat16(
    found: Sequence[FrozenSignature], *, min_values: int
) -> list[FrozenSignature]:
    """The signatures, their products with larger tables in bfloat16.

    Kernels add up in float32 and round the result once; all between two products stays
    float32. A table is bfloat16 in every signature, or in none: what gathers it, or
    reads it whole, turns it back into float32.

    Args:
      found: their graphs are changed in place.
      min_values: of a table. Small ones, such as the heads whose result orders a page,
        stay as they are.
    """
    keys = {
        table.key
        for each in found
        for name, table in each.tables.items()
        if table.values.dtype == "float32" and table.values.size >= min_values
        if any(name in _sources(node) for node in each.graph.node if _product(node))
    }
    return [_rewritten(each, keys) for each in found]


def _rewritten(each: FrozenSignature, keys: set[str]) -> FrozenSignature:
    halved = {name for name, table in each.tables.items() if table.key in keys}
    editor = _Editor(each.graph, halved)
    for node in list(each.graph.node):
        if not halved.isdisjoint(_sources(node)):
            editor.change(node)
    tables = {
        name: dataclasses.replace(table, numbers=tf.bfloat16)
        if name in halved
        else table
        for name, table in each.tables.items()
    }
    return dataclasses.replace(each, tables=tables)


def _product(node: node_def_pb2.NodeDef) -> bool:
    return node.op in _PRODUCTS and node.attr["T"].type == _FLOAT


def _sources(node: node_def_pb2.NodeDef) -> list[str]:
    return [source.split(":")[0] for source in node.input]


@dataclasses.dataclass
class _Editor:
    graph: graph_pb2.GraphDef
    halved: set[str]  # tables that are bfloat16 from now on
    casts: dict[tuple[str, int], str] = dataclasses.field(default_factory=dict)

    def change(self, node: node_def_pb2.NodeDef) -> None:
        """Makes a reader of such a table fit it; its result stays float32."""
        sources = _sources(node)
        if _product(node):
            for place, source in enumerate(sources):
                if source not in self.halved and not node.input[place].startswith("^"):
                    node.input[place] = self._cast(node.input[place], _HALF)
            self._compute_in_half(node, "T")
        elif node.op == "GatherV2" and not self.halved.intersection(sources[1:]):
            self._compute_in_half(node, "Tparams")
        else:
            for place, source in enumerate(sources):
                if source in self.halved and not node.input[place].startswith("^"):
                    node.input[place] = self._cast(node.input[place], _FLOAT)

    def _compute_in_half(self, node: node_def_pb2.NodeDef, kind: str) -> None:
        """A node of the same work in bfloat16; `node` turns its result back."""
        half = self.graph.node.add()
        half.CopyFrom(node)
        half.name = f"{node.name}/bfloat16"
        half.attr[kind].type = _HALF
        _become_cast(node, half.name, _FLOAT)

    def _cast(self, tensor: str, kind: int) -> str:
        """The tensor in another type; made once, however many read it."""
        if (tensor, kind) not in self.casts:
            suffix = "bfloat16" if kind == _HALF else "float32"
            node = self.graph.node.add()
            node.name = f"{tensor.replace(':', '_')}/as_{suffix}"
            _become_cast(node, tensor, kind)
            self.casts[tensor, kind] = node.name
        return self.casts[tensor, kind]


def _become_cast(node: node_def_pb2.NodeDef, source: str, kind: int) -> None:
    node.op = "Cast"
    node.input[:] = [source]
    node.attr.clear()
    node.attr["SrcT"].type = _FLOAT if kind == _HALF else _HALF
    node.attr["DstT"].type = kind
