"""Numbers of every type as JSON writes them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from serving.model_server.json_tensors import answer

BFLOAT16 = tf.bfloat16.as_numpy_dtype


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([2**24 + 1, -2], np.int64), "[16777217,-2]"),  # no float32 has it
        (np.array([0.1], np.float64), "[0.1]"),
        (np.array([0.1], np.float32), "[0.1]"),
        (np.array([True, False]), "[true,false]"),
        (np.array([1.5, -2.0], BFLOAT16), "[1.5,-2.0]"),
    ],
)
def test_numbers_keep_their_type(values: np.ndarray, expected: str) -> None:
    assert answer({"x": values}, rows=False).decode() == f'{{"outputs":{expected}}}'


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, BFLOAT16])
def test_what_is_no_number_stays_a_word(dtype: type) -> None:
    values = np.array([1.5, np.nan, np.inf, -np.inf], dtype)
    found = answer({"x": values}, rows=True).decode()
    assert found == '{"predictions": [1.5, NaN, Infinity, -Infinity]}'
    assert json.loads(found)["predictions"][2] == np.inf
