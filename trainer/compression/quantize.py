"""Numbers as small integers and scales, and back: what a stored table holds."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Array = npt.NDArray[Any]
_BFLOAT16 = tf.bfloat16.as_numpy_dtype
_INTEGERS = (np.uint8, np.int8, np.uint16, np.int16, np.uint32)


@dataclasses.dataclass(frozen=True)
class Quantized:
    """values = codes * scales, each scale broadcast over its block of columns.

    Attributes:
      codes: int8, or uint8 where no value is negative; the shape of the values.
      scales: float32; the codes' rank, 1 along the axes that share a scale. In blocks
        bfloat16, [rows, columns / block].
      block: columns that share one of a row's scales; 0: see `scales`' shape.
    """

    codes: Array
    scales: Array
    block: int = 0

    def values(self) -> npt.NDArray[np.float32]:
        """[...] float32: the numbers that the graph computes with."""
        codes, scales = self.codes.astype(np.float32), self.scales.astype(np.float32)
        if not self.block:
            return codes * scales
        shaped = codes.reshape(len(codes), -1, self.block) * scales[:, :, None]
        return shaped.reshape(codes.shape)


def quantize(values: Array, axis: int) -> Quantized:
    """Symmetric 8-bit codes, one scale per place along `axis`.

    The largest absolute value of a place becomes 127 (255 where all of `values` are
    >= 0), so the error is at most half of that value / 127 (255); 0 stays exactly 0.

    Args:
      values: float, any rank >= 1, finite.
      axis: the one whose places have a scale each; the others share it.
    """
    others = tuple(i for i in range(values.ndim) if i != axis % values.ndim)
    limits = np.abs(values).max(axis=others, keepdims=True, initial=0.0)
    return Quantized(*_codes(values, limits))


def quantize_in_blocks(values: Array, block: int) -> Quantized:
    """The same with one scale per row and per `block` columns of [rows, columns].

    For rows in which sorted lists of different size stand side by side. Scales are
    bfloat16, rounded up so that the largest code fits: there are many of them.

    Raises:
      ValueError: `block` does not divide the number of columns.
    """
    rows, columns = values.shape
    if block < 1 or columns % block:
        raise ValueError(
            f"`block` must divide the {columns} columns. Received: {block}."
        )
    shaped = values.reshape(rows, columns // block, block)
    limits = np.abs(shaped).max(axis=2, keepdims=True, initial=0.0)
    # bfloat16 has 8 bits of mantissa: 1 / 128 above rounds up in any case.
    limits = (limits * (1 + 1 / 128)).astype(_BFLOAT16).astype(np.float32)
    codes, scales = _codes(shaped, limits, _BFLOAT16)
    return Quantized(codes.reshape(rows, columns), scales[:, :, 0], block)


def smallest_integers(values: Array) -> Array:
    """The same integers in the smallest of 8, 16 and 32 bits that holds them all.

    Those of 32 bits are unsigned: TensorFlow has no GPU kernel for int32 variables.
    """
    if not values.size:
        return values
    low, high = int(values.min()), int(values.max())
    for dtype in _INTEGERS:
        info = np.iinfo(dtype)
        if info.min <= low and high <= info.max:
            if np.dtype(dtype).itemsize >= values.dtype.itemsize:
                return values
            return values.astype(dtype)
    return values


def _codes(
    values: Array, limits: Array, scale_dtype: npt.DTypeLike = np.float32
) -> tuple[Array, Array]:
    unsigned = not (values < 0).any()
    top, dtype = (255, np.uint8) if unsigned else (127, np.int8)
    stored = (limits / top).astype(scale_dtype)
    scales = stored.astype(np.float32)
    # A row of zeros, or of numbers too small for a float32 scale, is all zeros.
    safe = np.where(scales > 0, scales, 1.0)
    codes = np.where(scales > 0, np.rint(values / safe), 0.0)
    return np.clip(codes, -top, top).astype(dtype), stored
