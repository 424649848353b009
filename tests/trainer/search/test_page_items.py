"""The columns of a query's items, against NumPy."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from trainer.funnel.candidates import LOWEST
from trainer.search.page_items import PageItems

N = 30
RANDOM = np.random.default_rng(3)
# Lists of three queries: items come again, in one list and between them; 30 pads.
LISTS = [RANDOM.integers(0, N + 1, (3, 8)), RANDOM.integers(0, N + 1, (3, 5))]
LISTS.append(np.full((3, 2), N))
HELD = [set(np.concatenate([part[b] for part in LISTS])) - {N} for b in range(3)]


def items() -> PageItems:
    return PageItems.of([tf.constant(part, tf.int32) for part in LISTS], N)


def test_each_item_of_the_lists_counts_once() -> None:
    found = items()
    assert found.rows.shape == (3, 16)
    for rows, first, held in zip(
        found.rows.numpy(), found.first.numpy(), HELD, strict=True
    ):
        assert rows[first].tolist() == sorted(held)
        assert rows[-1] == N and not first[-1]


def test_columns_are_where_an_item_first_stands_or_the_last() -> None:
    found = items()
    every = tf.tile(tf.range(N + 1)[None], [3, 1])
    columns = found.columns(every).numpy()
    for rows, at, held in zip(found.rows.numpy(), columns, HELD, strict=True):
        for row in range(N + 1):
            here = rows.tolist().index(row) if row in held else len(rows) - 1
            assert at[row] == here


def test_dense_numbers_are_picked_by_row() -> None:
    dense = RANDOM.normal(size=(3, N + 3)).astype(np.float32)
    found = items()
    expected = np.take_along_axis(dense, found.rows.numpy(), axis=1)
    np.testing.assert_array_equal(found.picked(tf.constant(dense)), expected)


def test_values_of_lists_add_up_where_they_count() -> None:
    values = RANDOM.uniform(size=LISTS[0].shape).astype(np.float32)
    values[LISTS[0] == N] = 0.0  # pads have none
    found = items()
    summed = found.added(tf.constant(LISTS[0], tf.int32), tf.constant(values)).numpy()
    for rows, first, here, ids, own in zip(
        found.rows.numpy(), found.first.numpy(), summed, LISTS[0], values, strict=True
    ):
        totals = np.bincount(ids, own, minlength=N + 1)
        np.testing.assert_allclose(here[first], totals[rows[first]], rtol=1e-6)
        assert not here[~first].any()


def test_the_best_columns_come_as_rows_and_pads_where_too_few_are_left() -> None:
    found = items()
    scores = RANDOM.normal(size=found.rows.shape).astype(np.float32)
    masked = np.where(found.first.numpy(), scores, LOWEST).astype(np.float32)
    for count in (3, 25):  # of 16 columns
        best = found.best(tf.constant(masked), count).numpy()
        for b, line in enumerate(best):
            order = np.argsort(-masked[b], kind="stable")[: len(HELD[b])]
            expected = found.rows.numpy()[b][order].tolist()[:count]
            assert line.tolist() == expected + [N] * (count - len(expected))


def test_no_lists_leave_the_pads() -> None:
    found = PageItems.of([tf.zeros([2, 0], tf.int32)], N)
    np.testing.assert_array_equal(found.rows, [[N], [N]])
    assert not found.first.numpy().any()
    np.testing.assert_array_equal(found.columns(tf.constant([[0], [N]])), [[0], [0]])
