"""Which form each array of a bundle is stored in: by its name, type and use."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch

import numpy as np

from trainer.compression.freeze import Table
from trainer.compression.quantize import (
    Array,
    Quantized,
    quantize,
    quantize_in_blocks,
    smallest_integers,
)

# Below this many numbers a float array is not worth a scale.
MIN_QUANTIZED = 1024


@dataclasses.dataclass(frozen=True, kw_only=True)
class Use:
    """Where the graph reads a table."""

    op: str
    place: int  # which input of the op
    # Of a gather: the axis it takes from. Of a matrix product: the table's axis that
    # becomes an axis of the result. None: any other use.
    axis: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class StoragePlan:
    """Rules beyond the plain one, which is 8 bits for float and as few for integers.

    Attributes:
      quantize: False leaves every float array as it is.
      half: name patterns of arrays kept in float16: columns on scales of their own,
        which other numbers are compared with.
      blocks: name patterns of [rows, columns] tables -> columns per scale.
      exact: name patterns of arrays that stay as they are.
      bfloat16_products: products with larger matrices are computed in bfloat16.
      expand_bytes: arrays that are read whole, and are at most this large as numbers,
        become numbers once, when the model is loaded; others at each use.
    """

    quantize: bool = True
    half: tuple[str, ...] = ()
    blocks: Mapping[str, int] = dataclasses.field(default_factory=dict)
    exact: tuple[str, ...] = ()
    bfloat16_products: bool = False
    expand_bytes: int = 0

    def expands(self, table: Table, uses: Sequence[Use]) -> bool:
        """Whether a table becomes numbers once, at load, and not at each use."""
        whole = any(use.op != "GatherV2" or use.axis != 0 for use in uses)
        nbytes = table.values.size * table.numbers.size
        return whole and bool(nbytes <= self.expand_bytes)

    def stored(self, table: Table, uses: Sequence[Use]) -> Array | Quantized:
        """What to write for a table: an array of some type, or codes with scales."""
        values = table.values
        if _fits(table.name, self.exact):
            return values
        if values.dtype.kind in "iu":
            smallest = smallest_integers(values)
            # The same bits: int32 variables have no GPU kernel.
            return smallest.view(np.uint32) if smallest.dtype == np.int32 else smallest
        if values.dtype != np.float32:
            return values
        if not self.quantize:
            return values.astype(table.numbers.as_numpy_dtype)
        if _fits(table.name, self.half):
            return values.astype(np.float16)
        if values.ndim < 2 or values.size < MIN_QUANTIZED:
            return values
        for pattern, block in self.blocks.items():
            if fnmatch(table.name, pattern):
                return quantize_in_blocks(values, block)
        return quantize(values, _scale_axis(values, uses))


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def _scale_axis(values: Array, uses: Sequence[Use]) -> int:
    """The axis along which scales differ: one that the uses keep, else the last."""
    axes = {use.axis for use in uses if use.axis is not None}
    if len(axes) == 1:
        return axes.pop()
    # Gathered one way and multiplied another: rows of an embedding table.
    return 0 if 0 in axes else values.ndim - 1
