"""The signatures of a model once more, their arrays stored in fewer bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from trainer.compression.freeze import FrozenSignature, Table, freeze
from trainer.compression.plan import StoragePlan, Use
from trainer.compression.quantize import Array, Quantized
from trainer.compression.rewrite import CODES, SCALES, read_stored, uses_of

_Made = list[tuple[FrozenSignature, dict[str, tf.Variable]]]


class CompactModel(tf.Module):
    """The signatures of a model over stored codes.

    Each array is stored once, however many signatures read it and under however many
    names. Nothing of the source is kept but its hash tables.
    """

    def __init__(self, loaded: Any, plan: StoragePlan) -> None:
        """
        Args:
          loaded: of `tf.saved_model.load`.
          plan: how arrays are stored.
        """
        super().__init__(name="compact")
        found = [freeze(name, loaded.signatures[name]) for name in loaded.signatures]
        self._stored: dict[str, tf.Variable] = {}
        self.lookups = _lookups(loaded, found)
        stored = self._store(found, plan)
        # In a closure: functions that are attributes would be saved beside the
        # signatures made of them.
        self._make: Callable[[], _Made] = lambda: [
            (each, stored[each.name]) for each in found
        ]

    def signatures(self) -> dict[str, Any]:
        """Concrete functions by signature name."""
        return {each.name: _concrete(each, stored) for each, stored in self._make()}

    def _store(
        self, found: list[FrozenSignature], plan: StoragePlan
    ) -> dict[str, dict[str, tf.Variable]]:
        """Signature -> node -> variable; the graphs read these nodes afterwards."""
        uses: dict[str, list[Use]] = {}
        first: dict[str, Table] = {}
        for each in found:
            for node, table in each.tables.items():
                key = table.key
                uses.setdefault(key, []).extend(uses_of(each.graph, node))
                first.setdefault(key, table)
        forms = {key: plan.stored(table, uses[key]) for key, table in first.items()}
        variables = {
            key: self._variables(first[key].name, form) for key, form in forms.items()
        }
        nodes: dict[str, dict[str, tf.Variable]] = {}
        for each in found:
            nodes[each.name] = {}
            for node, table in each.tables.items():
                key = table.key
                read_stored(each.graph, node, table.values.dtype, forms[key])
                for part, variable in variables[key].items():
                    nodes[each.name][f"{node}/{part}"] = variable
        return nodes

    def _variables(self, name: str, form: Array | Quantized) -> dict[str, tf.Variable]:
        arrays = {CODES: form.codes if isinstance(form, Quantized) else form}
        if isinstance(form, Quantized):
            arrays[SCALES] = form.scales
        name = name.replace("/", "_")
        label, number = name, 1
        while f"{label}_{CODES}" in self._stored:
            number += 1
            label = f"{name}_{number}"
        found = {}
        for part, array in arrays.items():
            found[part] = tf.Variable(array, trainable=False, name=f"{label}_{part}")
            self._stored[f"{label}_{part}"] = found[part]
        return found

    def save(self, path: Path | str) -> None:
        """Writes the SavedModel; loads in a process that has only TensorFlow."""
        tf.saved_model.save(self, str(path), signatures=self.signatures())


def _lookups(loaded: Any, found: list[FrozenSignature]) -> list[Any]:
    """The source's hash tables that the graphs read, and the files they come from."""
    handles = {id(h) for each in found for h in each.resources.values()}
    parts = tf.train.TrackableView(loaded).descendants()
    return [
        part
        for part in parts
        if isinstance(part, tf.saved_model.Asset)
        or id(getattr(part, "resource_handle", None)) in handles
    ]


def _concrete(each: FrozenSignature, variables: dict[str, tf.Variable]) -> Any:
    graph = each.graph
    read = {source.split(":")[0] for node in graph.node for source in node.input}

    def signature(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        capture = tf.compat.v1.get_default_graph().capture
        given = {node: inputs[alias] for alias, (node, _) in each.inputs.items()}
        given |= {node: capture(h) for node, h in each.resources.items()}
        given |= {node: v.read_value() for node, v in variables.items() if node in read}
        tensors = tf.graph_util.import_graph_def(
            graph,
            input_map={name: value for name, value in given.items() if name in read},
            return_elements=list(each.outputs.values()),
            name="",
        )
        return dict(zip(each.outputs, tensors, strict=True))

    specs = {alias: spec for alias, (_, spec) in each.inputs.items()}
    return tf.function(signature, autograph=False).get_concrete_function(**specs)
