"""A signature of a SavedModel as one graph, its function calls opened."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow.core.framework import function_pb2, graph_pb2, node_def_pb2, types_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tensorflow.python.framework import op_def_registry

from core.errors import ArtifactError
from serving.inspect.opened import functions

CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
# Of these the first input chooses the function, the others are its arguments.
_CHOICES = frozenset({"If", "StatelessIf", "Case", "StatelessCase"})


@dataclasses.dataclass(frozen=True)
class Edge:
    """Output `index` of the node called `node`."""

    node: str
    index: int


@dataclasses.dataclass
class FlatNode:
    """An op of the opened graph; `name` holds the calls that lead to it."""

    name: str
    definition: node_def_pb2.NodeDef
    inputs: list[Edge] = dataclasses.field(default_factory=list)

    @property
    def op(self) -> str:
        op: str = self.definition.op
        return op

    def output_types(self) -> list[int]:
        """`types_pb2` numbers, one per output."""
        return [kind for _, kind in _outputs(self.definition)]


FlatGraph = dict[str, FlatNode]


def load_meta_graph(model_dir: Path) -> meta_graph_pb2.MetaGraphDef:
    """The serving graph of a SavedModel's folder, without its variables.

    Raises:
      ArtifactError: no SavedModel lies there, or only a part of one.
    """
    path = model_dir / "saved_model.pb"
    if not path.is_file():
        raise ArtifactError(
            f"A SavedModel's folder holds `saved_model.pb`. Received: {model_dir}. "
            "Name a version folder, such as var/demo/serving/souk/VERSION."
        )
    content = path.read_bytes()
    try:
        return saved_model_pb2.SavedModel.FromString(content).meta_graphs[0]
    except (DecodeError, IndexError) as error:
        raise ArtifactError(
            f"`{path}` must hold a whole SavedModel with a graph. Received: "
            f"{len(content)} bytes that do not. Copy or push the version again."
        ) from error


def flatten(graph: graph_pb2.GraphDef, fetches: Iterable[str]) -> FlatGraph:
    """Every node that tensors of a graph (`name:0`) need, by name, calls opened.

    Branches and loops stay nodes; what their functions hold hangs before them.
    """
    opener = _Opener(graph)
    return opener.reach(fetches)


class _Scope:
    """The body of one call: its nodes, and where its arguments come from."""

    def __init__(
        self, prefix: str, nodes: Iterable[node_def_pb2.NodeDef], args: dict[str, Edge]
    ) -> None:
        self.prefix = prefix
        self.nodes = {node.name: node for node in nodes}
        self.args = args
        self.bodies: dict[str, tuple[_Scope, function_pb2.FunctionDef]] = {}


class _Opener:
    def __init__(self, graph: graph_pb2.GraphDef) -> None:
        self._library = {f.signature.name: f for f in graph.library.function}
        self._top = _Scope("", graph.node, {})
        self._found: FlatGraph = {}
        self._waiting: list[tuple[_Scope, str]] = []

    def reach(self, fetches: Iterable[str]) -> FlatGraph:
        for fetch in fetches:
            self._edge(self._top, fetch)
        while self._waiting:
            scope, name = self._waiting.pop()
            self._visit(scope, name)
        return self._found

    def _visit(self, scope: _Scope, name: str) -> None:
        key = scope.prefix + name
        if key in self._found:
            return
        definition = scope.nodes[name]
        node = self._found[key] = FlatNode(key, definition)
        for ref in definition.input:
            if ref.startswith("^"):
                self._control(scope, ref[1:])
            else:
                node.inputs.append(self._edge(scope, ref))
        for function in _functions(definition):
            if function in self._library:
                node.inputs += self._branch(node, function)

    def _edge(self, scope: _Scope, ref: str) -> Edge:
        """Where a tensor comes from, through any calls; its node will be visited."""
        if ref in scope.args:
            return scope.args[ref]
        name, _, rest = ref.partition(":")
        definition = scope.nodes[name]
        index = _flat_index(definition, rest)
        if definition.op in CALLS:
            body, function = self._open(scope, definition)
            result = function.signature.output_arg[index].name
            return self._edge(body, function.ret[result])
        self._waiting.append((scope, name))
        return Edge(scope.prefix + name, index)

    def _open(
        self, scope: _Scope, call: node_def_pb2.NodeDef
    ) -> tuple[_Scope, function_pb2.FunctionDef]:
        if call.name not in scope.bodies:
            function = self._library[call.attr["f"].func.name]
            inputs = [ref for ref in call.input if not ref.startswith("^")]
            args = {
                arg.name: self._edge(scope, ref)
                for arg, ref in zip(function.signature.input_arg, inputs, strict=True)
            }
            prefix = f"{scope.prefix}{call.name}/"
            body = _Scope(prefix, function.node_def, args)
            scope.bodies[call.name] = body, function
            for name in function.control_ret.values():
                self._control(body, name)
        return scope.bodies[call.name]

    def _branch(self, node: FlatNode, name: str) -> list[Edge]:
        """What a function of a branch or loop gives, fed with the node's own inputs."""
        function = self._library[name]
        given = node.inputs[1:] if node.op in _CHOICES else node.inputs
        args = {
            arg.name: edge
            for arg, edge in zip(function.signature.input_arg, given, strict=False)
        }
        body = _Scope(f"{node.name}/{name}/", function.node_def, args)
        results = [self._edge(body, ref) for ref in function.ret.values()]
        for control in function.control_ret.values():
            self._control(body, control)
        return results

    def _control(self, scope: _Scope, name: str) -> None:
        definition = scope.nodes.get(name)
        if definition is None:  # waits for an argument: nothing of its own
            return
        if definition.op in CALLS:
            _, function = self._open(scope, definition)
            for index in range(len(function.signature.output_arg)):
                self._edge(scope, f"{name}:{index}")
        else:
            self._waiting.append((scope, name))


def _functions(definition: node_def_pb2.NodeDef) -> Iterator[str]:
    """Functions that a node may run, calls apart."""
    if definition.op not in CALLS:
        yield from functions(definition)


def attribute(definition: node_def_pb2.NodeDef, name: str) -> Any:
    """An AttrValue of a node, its op's default where the file leaves it out."""
    if name in definition.attr:
        return definition.attr[name]
    found = op_def_registry.get(definition.op)
    defaults = {a.name: a.default_value for a in found.attr} if found else {}
    return defaults.get(name)


def _outputs(definition: node_def_pb2.NodeDef) -> list[tuple[str, int]]:
    """(name of the op's output, type) of each output tensor."""
    op = op_def_registry.get(definition.op)
    if op is None:
        return []
    found: list[tuple[str, int]] = []
    for arg in op.output_arg:
        if arg.type_list_attr:
            kinds = list(attribute(definition, arg.type_list_attr).list.type)
        else:
            kind = arg.type or attribute(definition, arg.type_attr).type
            count = attribute(definition, arg.number_attr).i if arg.number_attr else 1
            kinds = [kind] * count
        found += [(arg.name, kind) for kind in kinds]
    return found


def _flat_index(definition: node_def_pb2.NodeDef, rest: str) -> int:
    """`2` and `output:2` (the third tensor of an op's output) as a flat number."""
    if not rest:
        return 0
    name, _, number = rest.rpartition(":")
    if not name:
        return int(number)
    names = [output for output, _ in _outputs(definition)]
    return names.index(name) + int(number)


def type_name(kind: int) -> str:
    """`float32`-like name of a `types_pb2` number; `string_ref` keeps its suffix."""
    name: str = types_pb2.DataType.Name(kind)
    return name.removeprefix("DT_").lower()
