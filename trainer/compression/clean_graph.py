"""A flat graph without what only tracing left in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import tensorflow as tf
from tensorflow.core.framework import graph_pb2, node_def_pb2
from tensorflow.python.framework import op_def_registry

# Stateful by name only: what they answer is all they do.
_LOOKUPS = ("LookupTable", "HashTable", "Placeholder")
_ATTRIBUTES = (
    "_output_shapes",
    "_user_specified_name",
    "_class",
    "_gradient_op_type",
)


def clean(
    graph: graph_pb2.GraphDef, outputs: dict[str, str], kept: set[str]
) -> tuple[graph_pb2.GraphDef, dict[str, str], dict[str, str]]:
    """The same function in fewer nodes.

    Leaves out what no output needs, the order that tracing asked for, identities and
    all but one of equal constants, and names nodes by op and number: the paths that
    tracing gives them are most of the file. Checks that nothing reads stay, before the
    first output.

    Args:
      graph: of one function; functions in its library are left alone.
      outputs: alias -> tensor name.
      kept: placeholders, which keep their names.

    Returns:
      The graph, the outputs by their new names, and the new name of each node.
    """
    wanted = sorted({name.split(":")[0] for name in outputs.values()} | kept)
    known = {node.name for node in graph.node}
    graph = tf.compat.v1.graph_util.extract_sub_graph(
        graph, [name for name in wanted if name in known]
    )
    _drop_order(graph)
    aliases = _aliases(graph)
    for node in graph.node:
        node.input[:] = [_source(name, aliases) for name in node.input]
    outputs = {a: _source(name, aliases) for a, name in outputs.items()}
    _require_checks(graph, outputs, kept)
    names = {
        node.name: node.name if node.name in kept else f"{node.op}_{number}"
        for number, node in enumerate(_needed(graph, outputs, kept))
    }
    cleaned = graph_pb2.GraphDef(versions=graph.versions)
    for node in graph.node:
        if node.name in names:
            cleaned.node.append(_renamed(node, names))
    _add_library(cleaned, graph)
    renamed = {a: _rename(name, names) for a, name in outputs.items()}
    outputs = {a: t if ":" in t else f"{t}:0" for a, t in renamed.items()}
    return cleaned, outputs, names


def _drop_order(graph: graph_pb2.GraphDef) -> None:
    """Without control inputs: variables are frozen, so no order changes an answer."""
    for node in graph.node:
        node.input[:] = [name for name in node.input if not name.startswith("^")]


def _require_checks(
    graph: graph_pb2.GraphDef, outputs: dict[str, str], kept: set[str]
) -> None:
    """Lets the first output wait for assertions, which give nothing to read."""
    needed = {node.name for node in _needed(graph, outputs, kept)}
    checks = [n.name for n in graph.node if n.name not in needed and _is_stateful(n.op)]
    first = next(iter(outputs.values())).split(":")[0]
    output = next(node for node in graph.node if node.name == first)
    output.input.extend(f"^{name}" for name in checks)


def _is_stateful(op: str) -> bool:
    return op_def_registry.get(op).is_stateful and not op.startswith(_LOOKUPS)


def _aliases(graph: graph_pb2.GraphDef) -> dict[str, str]:
    """Tensor (NODE, or NODE:1 on) -> the tensor that it only repeats."""
    aliases: dict[str, str] = {}
    constants: dict[bytes, str] = {}
    for node in graph.node:
        if node.op in ("Identity", "IdentityN"):
            for place, source in enumerate(node.input):
                aliases[f"{node.name}:{place}" if place else node.name] = source
        elif node.op == "Const":
            key = node.attr["value"].tensor.SerializeToString(deterministic=True)
            first = constants.setdefault(key, node.name)
            if first != node.name:
                aliases[node.name] = first
    return aliases


def _source(tensor: str, aliases: dict[str, str]) -> str:
    """The tensor behind a chain of aliases."""
    name = tensor.removesuffix(":0")
    while name in aliases:
        name = aliases[name].removesuffix(":0")
    return name


def _needed(
    graph: graph_pb2.GraphDef, outputs: dict[str, str], kept: set[str]
) -> Iterator[node_def_pb2.NodeDef]:
    nodes = {node.name: node for node in graph.node}
    seen: set[str] = set()
    left = [name.split(":")[0] for name in outputs.values()]
    left += [name for name in kept if name in nodes]
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        left += [source.lstrip("^").split(":")[0] for source in nodes[name].input]
    return (node for node in graph.node if node.name in seen)


def _renamed(node: node_def_pb2.NodeDef, names: dict[str, str]) -> node_def_pb2.NodeDef:
    copy = node_def_pb2.NodeDef()
    copy.CopyFrom(node)
    copy.name = names[node.name]
    copy.input[:] = [_rename(source, names) for source in node.input]
    _strip(copy)
    return copy


def _add_library(cleaned: graph_pb2.GraphDef, graph: graph_pb2.GraphDef) -> None:
    """The functions of branches and loops, named by their content."""
    names = {}
    for function in graph.library.function:
        # TensorFlow writes this mark and refuses to read it.
        function.attr.pop("_GrapplerSpecializedFunc", None)
        for node in function.node_def:
            _strip(node)
        text = function.SerializeToString(deterministic=True)
        names[function.signature.name] = f"f_{hashlib.sha256(text).hexdigest()[:16]}"
    cleaned.library.CopyFrom(graph.library)
    for function in cleaned.library.function:
        function.signature.name = names[function.signature.name]
        for node in function.node_def:
            _call_by(node, names)
    for node in cleaned.node:
        _call_by(node, names)


def _call_by(node: node_def_pb2.NodeDef, names: dict[str, str]) -> None:
    for value in node.attr.values():
        for called in (value.func, *value.list.func):
            if called.name:
                called.name = names[called.name]


def _strip(node: node_def_pb2.NodeDef) -> None:
    node.ClearField("experimental_debug_info")
    for attribute in _ATTRIBUTES:
        node.attr.pop(attribute, None)


def _rename(tensor: str, names: dict[str, str]) -> str:
    control = "^" if tensor.startswith("^") else ""
    name, colon, output = tensor.lstrip("^").partition(":")
    return f"{control}{names[name]}{colon}{output}"
