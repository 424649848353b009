"""Codes and scales against bounds that follow from their definition."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.compression.quantize import (
    quantize,
    quantize_in_blocks,
    smallest_integers,
)


def _values(low: float, shape: tuple[int, ...] = (40, 60)) -> np.ndarray:
    random = np.random.default_rng(3)
    values = random.uniform(low, 1.0, shape).astype(np.float32)
    values *= 10.0 ** random.integers(-4, 3, (shape[0], 1))  # rows of any magnitude
    values[random.random(shape) < 0.3] = 0.0
    values[7] = 0.0
    return values


@pytest.mark.parametrize(
    ("low", "top", "dtype"), [(-1, 127, "int8"), (0, 255, "uint8")]
)
@pytest.mark.parametrize("axis", [0, 1])
def test_errors_are_at_most_half_a_step_of_the_row_or_column(
    low: float, top: int, dtype: str, axis: int
) -> None:
    values = _values(low)
    found = quantize(values, axis)
    assert found.codes.dtype == dtype
    step = np.abs(values).max(axis=1 - axis, keepdims=True) / top
    assert (np.abs(found.values() - values) <= 0.5001 * step + 1e-12).all()
    assert found.scales.shape == step.shape


def test_zeros_stay_zeros_and_the_largest_is_kept() -> None:
    values = _values(-1)
    back = quantize(values, 0).values()
    assert (back[values == 0] == 0).all()
    row = np.abs(values[0]).argmax()
    assert back[0, row] == pytest.approx(values[0, row], rel=1e-6)


@pytest.mark.parametrize(("low", "top"), [(-1, 127), (0, 255)])
def test_blocks_of_a_row_have_scales_of_their_own(low: float, top: int) -> None:
    # Two sources side by side, the second a thousandth of the first.
    values = np.concatenate([_values(low), _values(low) / 1000], axis=1)
    found = quantize_in_blocks(values, 30)
    blocks = values.reshape(40, 4, 30)
    # A bfloat16 scale is at most 2 / 128 above the exact one.
    step = np.abs(blocks).max(axis=2, keepdims=True) / top * (1 + 2 / 128)
    error = np.abs(found.values().reshape(blocks.shape) - blocks)
    assert (error <= 0.5001 * step + 1e-12).all()
    assert found.scales.shape == (40, 4)
    assert found.scales.itemsize == 2


def test_a_block_must_divide_the_columns() -> None:
    with pytest.raises(ValueError, match=r"must divide the 60 columns\. Received: 7"):
        quantize_in_blocks(_values(0), 7)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 255, "uint8"),
        (-1, 127, "int8"),
        (0, 256, "uint16"),
        (-1, 300, "int16"),
        (0, 65_536, "uint32"),
        (-1, 65_536, "int64"),
        (0, 2**40, "int64"),
    ],
)
def test_integers_keep_their_values_in_the_smallest_type(
    low: int, high: int, expected: str
) -> None:
    values = np.array([low, high, 1], np.int64)
    found = smallest_integers(values)
    assert found.dtype == expected
    np.testing.assert_array_equal(found.astype(np.int64), values)


def test_integers_that_need_their_type_are_left_alone() -> None:
    values = np.array([0, 70_000], np.int32)
    assert smallest_integers(values) is values
    assert smallest_integers(np.zeros(0, np.int32)).dtype == np.int32
