"""The signatures of a model once more, their arrays stored in fewer bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.compression.expanded import Expanded
from trainer.compression.freeze import FrozenSignature, Table, freeze
from trainer.compression.half_products import in_bfloat16
from trainer.compression.plan import MIN_QUANTIZED, StoragePlan, Use
from trainer.compression.quantize import Array, Quantized
from trainer.compression.rewrite import (
    CODES,
    SCALES,
    VARIABLE,
    read_stored,
    uses_of,
)
from trainer.traced import traced

# Name of a graph's input -> what it reads, in the function that imports the graph.
_Sources = dict[str, Callable[[], tf.Tensor]]
_Made = list[tuple[FrozenSignature, _Sources]]


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
        if plan.bfloat16_products:
            found = in_bfloat16(found, min_values=MIN_QUANTIZED)
        self._stored: dict[str, tf.Variable] = {}
        self._expanded: dict[str, Expanded] = {}
        self.lookups = _lookups(loaded, found)
        sources = self._store(found, plan)
        # In a closure: functions that are attributes would be saved beside the
        # signatures made of them.
        self._make: Callable[[], _Made] = lambda: [
            (each, sources[each.name]) for each in found
        ]

    @property
    def expanded_bytes(self) -> int:
        """Of the arrays that become numbers at load, in memory."""
        return sum(each.nbytes for each in self._expanded.values())

    def signatures(self) -> dict[str, Any]:
        """Concrete functions by signature name."""
        return {each.name: _concrete(each, stored) for each, stored in self._make()}

    def _store(
        self, found: list[FrozenSignature], plan: StoragePlan
    ) -> dict[str, _Sources]:
        """By signature; the graphs read these inputs afterwards."""
        uses: dict[str, list[Use]] = {}
        first: dict[str, Table] = {}
        for each in found:
            for node, table in each.tables.items():
                uses.setdefault(table.key, []).extend(uses_of(each.graph, node))
                first.setdefault(table.key, table)
        forms = {key: plan.stored(table, uses[key]) for key, table in first.items()}
        parts = {
            key: self._parts(table, forms[key], expands=plan.expands(table, uses[key]))
            for key, table in first.items()
        }
        sources: dict[str, _Sources] = {each.name: {} for each in found}
        for each in found:
            for node, table in each.tables.items():
                key = table.key
                if "" not in parts[key]:
                    read_stored(each.graph, node, table.numbers, forms[key])
                for part, source in parts[key].items():
                    name = f"{node}/{part}" if part else node
                    sources[each.name][name] = source
        return sources

    def _parts(
        self, table: Table, form: Array | Quantized, *, expands: bool
    ) -> _Sources:
        """What graphs may read of a table; under "" the numbers themselves."""
        name = self._free_name(table.name)
        arrays = {CODES: form.codes if isinstance(form, Quantized) else form}
        if isinstance(form, Quantized):
            arrays[SCALES] = form.scales
        variables = {}
        for part, array in arrays.items():
            variable = tf.Variable(array, trainable=False, name=f"{name}_{part}")
            variables[part] = self._stored[f"{name}_{part}"] = variable
        if expands and arrays[CODES].dtype.itemsize < table.numbers.size:
            self._expanded[name] = expanded = Expanded(
                variables[CODES],
                variables.get(SCALES),
                dtype=table.numbers,
                name=f"expanded_{table.numbers.name}_{_digest(arrays)}",
            )
            return {"": lambda: expanded.read(_captured(expanded.resource_handle))}
        return {
            **{part: v.read_value for part, v in variables.items()},
            VARIABLE: lambda: _captured(variables[CODES].handle),
        }

    def _free_name(self, name: str) -> str:
        name = name.replace("/", "_")
        label, number = name, 1
        while f"{label}_{CODES}" in self._stored:
            number += 1
            label = f"{name}_{number}"
        return label

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


def _digest(arrays: dict[str, Array]) -> str:
    """Equal for equal contents."""
    found = hashlib.sha256()
    for array in arrays.values():
        found.update(f"{array.dtype}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def _captured(handle: tf.Tensor) -> tf.Tensor:
    """An outer tensor, inside the function that is being traced."""
    return tf.compat.v1.get_default_graph().capture(handle)


def _concrete(each: FrozenSignature, sources: _Sources) -> Any:
    graph = each.graph
    read = {source.split(":")[0] for node in graph.node for source in node.input}

    def signature(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        given = {node: inputs[alias] for alias, (node, _) in each.inputs.items()}
        given |= {node: _captured(h) for node, h in each.resources.items()}
        given |= {name: source() for name, source in sources.items() if name in read}
        tensors = tf.graph_util.import_graph_def(
            graph,
            input_map={name: value for name, value in given.items() if name in read},
            return_elements=list(each.outputs.values()),
            name="",
        )
        return dict(zip(each.outputs, tensors, strict=True))

    specs = {alias: spec for alias, (_, spec) in each.inputs.items()}
    return traced(signature).get_concrete_function(**specs)
