"""Which entries of neighbour lists stay, counted by hand."""

from __future__ import annotations

import numpy as np

from trainer.compression.trim_tables import trim_lists
from trainer.funnel.neighbours import Neighbours

PAD = 2


def _lists(*scores: list[float]) -> Neighbours:
    values = np.array(scores, np.float32)
    rows = np.where(values > 0, np.arange(values.shape[1]) % PAD, PAD)
    return Neighbours(rows=rows.astype(np.int32), scores=values)


EVEN = _lists([1, 1, 1, 1], [1, 1, 1, 1])  # halves of the sum in both blocks of two
STEEP = _lists([9, 9, 1, 1], [9, 9, 1, 1])  # .9 and .1
EMPTY = _lists([0, 0, 0, 0], [0, 0, 0, 0])


def test_columns_go_to_the_source_whose_scores_lie_there() -> None:
    found = trim_lists({"even": EVEN, "steep": STEEP}, pad=PAD, entries=6, block=2)
    assert found["even"].scores.shape == (2, 4)
    assert found["steep"].scores.tolist() == [[9, 9], [9, 9]]
    assert found["steep"].rows.tolist() == [[0, 1], [0, 1]]


def test_each_source_keeps_a_block_however_little_it_holds() -> None:
    found = trim_lists({"even": EVEN, "empty": EMPTY}, pad=PAD, entries=2, block=2)
    assert [each.scores.shape[1] for each in found.values()] == [2, 2]


def test_no_limit_takes_away_only_columns_that_are_empty() -> None:
    half = _lists([5, 1, 0, 0], [3, 0, 0, 0])
    found = trim_lists({"half": half, "even": EVEN}, pad=PAD, entries=0, block=2)
    assert found["half"].scores.tolist() == [[5, 1], [3, 0]]
    np.testing.assert_array_equal(found["even"].scores, EVEN.scores)


def test_a_last_part_block_is_filled_with_pads() -> None:
    odd = _lists([3, 2, 1], [3, 2, 1])
    found = trim_lists({"odd": odd}, pad=PAD, entries=0, block=2)["odd"]
    assert found.scores.tolist() == [[3, 2, 1, 0], [3, 2, 1, 0]]
    assert found.rows[:, 3].tolist() == [PAD, PAD]


def test_lists_shorter_than_a_block_are_one_block() -> None:
    """Another source in the same block would be on its scale."""
    found = trim_lists({"even": EVEN}, pad=PAD, entries=1, block=8)["even"]
    width = EVEN.scores.shape[1]
    np.testing.assert_array_equal(found.scores[:, :width], EVEN.scores)
    assert found.scores.shape[1] == 8
    assert (found.rows[:, width:] == PAD).all() and not found.scores[:, width:].any()
