"""Which part of a page's work a node does: reading words, scoring, or answering."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from tensorflow.core.framework import types_pb2

from serving.inspect.flat_graph import Edge, FlatGraph, FlatNode

_TABLES = ("HashTable", "MutableHashTable", "LookupTable", "InitializeTable")


class Part(enum.Enum):
    """A page's work, in its order."""

    WORDS = "words"  # from the request's strings to numbers: on the host by design
    HOT = "hot path"  # numbers in, scores and rows out: belongs on the GPU
    ANSWER = "answer"  # strings of the page, looked up by row: on the host by design


def parts(graph: FlatGraph) -> dict[str, Part]:
    """The part of each node.

    WORDS reads strings of the request, or stands between two nodes that do: all up to
    and including the look-ups, and the padding of ragged tokens to a matrix. ANSWER has
    strings that come from the model. All else is the hot path, the request's numbers
    included.
    """
    users = _users(graph)
    spoken = _spoken(graph, users)
    readers = {e.node for edge in spoken for e in users.get(edge, ())}
    words = readers | {edge.node for edge in spoken}
    after = _reach(readers, lambda name: (e.node for e in _uses(graph[name], users)))
    readers |= {name for name in after if graph[name].op == "RaggedTensorToTensor"}
    before = _reach(readers, lambda name: (e.node for e in graph[name].inputs))
    words |= readers | (after & before)
    found = {}
    for name, node in graph.items():
        if name in words or node.op.startswith(_TABLES):
            found[name] = Part.WORDS
        elif _has_strings(node, graph):
            found[name] = Part.ANSWER
        else:
            found[name] = Part.HOT
    return found


Users = Mapping[Edge, list[Edge]]  # a tensor -> (node, place of the input)


def _users(graph: FlatGraph) -> Users:
    users: dict[Edge, list[Edge]] = defaultdict(list)
    for name, node in graph.items():
        for place, edge in enumerate(node.inputs):
            users[edge].append(Edge(name, place))
    return users


def _uses(node: FlatNode, users: Users) -> list[Edge]:
    return [
        user
        for index in range(len(node.output_types()))
        for user in users.get(Edge(node.name, index), ())
    ]


def _spoken(graph: FlatGraph, users: Users) -> set[Edge]:
    """String tensors that come from the request's own strings."""
    waiting = [
        Edge(name, 0)
        for name, node in graph.items()
        if node.op == "Placeholder" and node.output_types() == [types_pb2.DT_STRING]
    ]
    found = set(waiting)
    while waiting:
        for user in users.get(waiting.pop(), ()):
            for index, kind in enumerate(graph[user.node].output_types()):
                edge = Edge(user.node, index)
                if kind == types_pb2.DT_STRING and edge not in found:
                    found.add(edge)
                    waiting.append(edge)
    return found


def _has_strings(node: FlatNode, graph: FlatGraph) -> bool:
    given = [_type(graph[edge.node], edge.index) for edge in node.inputs]
    return types_pb2.DT_STRING in (*given, *node.output_types())


def _type(node: FlatNode, index: int) -> int:
    kinds = node.output_types()
    return kinds[index] if index < len(kinds) else types_pb2.DT_INVALID


def _reach(start: Iterable[str], step: Callable[[str], Iterable[str]]) -> set[str]:
    found = set(start)
    waiting = list(found)
    while waiting:
        for name in step(waiting.pop()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found
