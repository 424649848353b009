"""A SavedModel in a session, every function call opened.

TensorFlow traces nodes of the graph that runs. Functions that stay calls (not to be
inlined, compiled by XLA) and branches that stay one node have their bodies elsewhere:
no node of them would be seen. What a node computes, and on which shapes, is the same
once its function is inlined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import graph_pb2, node_def_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow.python.saved_model import loader_impl

# What keeps a call closed, on its node or its function.
_CLOSED = ("_noinline", "_XlaMustCompile")
_CONTROL_FLOW = frozenset(
    ("If", "StatelessIf", "Case", "StatelessCase", "While", "StatelessWhile")
)
_LOWER = "_lower_using_switch_merge"


def load_opened(session: Any, model_dir: Path) -> meta_graph_pb2.MetaGraphDef:
    """Loads the serving graph with its calls opened; the graph as loaded.

    Args:
      session: of an empty graph.
      model_dir: the SavedModel's folder.
    """
    loader = loader_impl.SavedModelLoader(str(model_dir))
    for graph in loader.saved_model.meta_graphs:
        open_calls(graph.graph_def)
    loaded: meta_graph_pb2.MetaGraphDef = loader.load(session, [tf.saved_model.SERVING])
    return loaded


def open_calls(graph: graph_pb2.GraphDef) -> None:
    """Lets TensorFlow inline every call and branch of a graph that the CPU can run.

    A function with ops that XLA alone has (`XlaDot`) stays closed.
    """
    bodies = {f.signature.name: f.node_def for f in graph.library.function}
    xla_only = _xla_only(bodies)
    for function in graph.library.function:
        if function.signature.name not in xla_only:
            _open(function.attr)
    for node in (*graph.node, *(n for body in bodies.values() for n in body)):
        if xla_only.isdisjoint(functions(node)):
            _open(node.attr)
            if node.op in _CONTROL_FLOW:
                node.attr[_LOWER].b = True


def functions(node: node_def_pb2.NodeDef) -> Iterator[str]:
    """Names of the functions that a node may run."""
    for value in node.attr.values():
        if value.HasField("func"):
            yield value.func.name
        yield from (function.name for function in value.list.func)


def _xla_only(bodies: dict[str, Iterable[node_def_pb2.NodeDef]]) -> set[str]:
    """Functions that hold an op of XLA, or call one that does."""
    found: set[str] = set()
    before = -1
    while before != len(found):
        before = len(found)
        for name, nodes in bodies.items():
            if any(n.op.startswith("Xla") or found & set(functions(n)) for n in nodes):
                found.add(name)
    return found


def _open(attributes: Any) -> None:
    for name in _CLOSED:
        if name in attributes:
            del attributes[name]
