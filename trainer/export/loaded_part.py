"""What a bundle takes of a loaded SavedModel: some functions, and what they read."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class LoadedPart(tf.Module):
    """Functions of a loaded SavedModel, under their names.

    Saved in turn it takes along the variables, tables and files that these functions
    read, and leaves the rest: signatures, other functions, training state.
    """

    def __init__(self, loaded: Any, functions: tuple[str, ...]) -> None:
        """
        Args:
          loaded: of `tf.saved_model.load`.
          functions: attributes to keep; those that `loaded` lacks are left out.
        """
        super().__init__(name="loaded_part")
        kept = {name: getattr(loaded, name) for name in functions if _has(loaded, name)}
        captured = {
            id(tensor)
            for function in kept.values()
            for concrete in function.concrete_functions
            for tensor in concrete.captured_inputs
        }
        self.parts = [
            part
            for part in tf.train.TrackableView(loaded).descendants()
            if isinstance(part, tf.saved_model.Asset) or _handle(part) in captured
        ]
        for name, function in kept.items():
            setattr(self, name, function)


def _has(loaded: Any, name: str) -> bool:
    return getattr(loaded, name, None) is not None


def _handle(part: Any) -> int:
    """Identity of the resource tensor of a variable or hash table."""
    if isinstance(part, tf.Variable):
        return id(part.handle)
    return id(getattr(part, "resource_handle", None))
