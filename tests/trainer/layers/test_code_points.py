"""The table in pages says what the table written out says, for every code point."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from core.text.folding import TABLE_SIZE, folding_table
from trainer.layers.code_points import CodePointTable
from trainer.text_encoder.normalization import NORMALIZATIONS, code_point_table


@pytest.mark.parametrize("name", ["folding", *NORMALIZATIONS])
def test_every_code_point_becomes_what_the_plain_table_says(name: str) -> None:
    plain = folding_table() if name == "folding" else code_point_table(name)
    values, splits = CodePointTable(*plain)(tf.range(TABLE_SIZE))
    np.testing.assert_array_equal(splits, plain[0])
    np.testing.assert_array_equal(values, plain[1])


def test_folding_takes_a_tenth_of_the_numbers() -> None:
    splits, values = folding_table()
    table = CodePointTable(splits, values)
    stored = sum(int(tf.size(t)) for t in vars(table).values() if tf.is_tensor(t))
    assert stored < (len(splits) + len(values)) / 10


def test_points_beyond_the_table_and_of_a_part_page_become_what_they_should() -> None:
    splits, values = np.array([0, 1, 3, 3], np.int32), np.array([7, 8, 32], np.int32)
    found, ends = CodePointTable(splits, values)(tf.constant([1, 0, 2]))
    assert found.numpy().tolist() == [8, 32, 7]
    assert ends.numpy().tolist() == [0, 2, 3, 3]
    found, _ = CodePointTable(*folding_table())(tf.constant([TABLE_SIZE, 0x10FFFF]))
    assert found.numpy().tolist() == [32, 32]


def test_no_points_become_none() -> None:
    found, ends = CodePointTable(*folding_table())(tf.zeros([0], tf.int32))
    assert found.shape == [0]
    assert ends.numpy().tolist() == [0]
