"""Top-k in two stages, and the union of ranked lists."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.funnel.candidates import top_rows, unite


@pytest.mark.parametrize(("n", "k"), [(100, 10), (5_000, 150), (20_003, 150)])
def test_two_stage_top_k_is_exact(n: int, k: int) -> None:
    scores = np.random.default_rng(n).standard_normal((3, n)).astype(np.float32)
    values, rows = top_rows(tf.constant(scores), k)
    np.testing.assert_allclose(values, -np.sort(-scores, axis=1)[:, :k])
    np.testing.assert_allclose(np.take_along_axis(scores, rows.numpy(), 1), values)


def test_top_k_beyond_the_catalogue_gives_all() -> None:
    values, _ = top_rows(tf.constant([[1.0, 3.0, 2.0]]), 10)
    assert values.numpy().tolist() == [[3.0, 2.0, 1.0]]


def test_union_keeps_each_item_once_at_its_best_place() -> None:
    # Of lists of the same length the places count alike: 7 and 5 lead, then 8, 7 (a
    # duplicate), then 9 and the pad.
    lists = tf.constant([[[7, 8, 9], [5, 7, 99]]])
    found = unite(lists, [3, 3], [3, 4], num_items=99, limit=6)
    assert found.rows.numpy().tolist() == [[7, 5, 8, 9, 99, 99]]
    assert found.sources.numpy().tolist() == [[3, 4, 3, 3, -1, -1]]


def test_union_is_cut_at_the_limit_in_order_of_relative_places() -> None:
    lists = tf.constant([[[1, 2, 3, 4], [5, 6, 8, 8]]])
    # Relative places: 1 at 1/4, 2 and 5 at 1/2, 3 at 3/4, 4 and 6 at 1.
    found = unite(lists, [4, 2], [0, 1], num_items=9, limit=3)
    assert found.rows.numpy().tolist() == [[1, 2, 5]]
