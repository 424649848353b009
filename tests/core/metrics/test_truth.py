from __future__ import annotations

import numpy as np
import pytest

from core.metrics import Truth
from core.metrics.truth import hit_matrix


def test_pairs_are_distinct_and_counted_per_moment():
    truth = Truth.from_pairs([1, 0, 1, 1], [4, 2, 4, 0], num_moments=3, num_items=5)
    assert truth.moments.tolist() == [0, 1, 1]
    assert truth.rows.tolist() == [2, 0, 4]
    assert truth.sizes.tolist() == [1, 2, 0]


def test_without_removes_owned_items_and_select_renumbers():
    truth = Truth.from_lists([[1, 2], [3], [4]], 6)
    owned = Truth.from_lists([[2, 5], [3], []], 6)
    fresh = truth.without(owned)
    assert fresh.sizes.tolist() == [1, 0, 1]
    kept = fresh.select(fresh.sizes > 0)
    assert kept.moments.tolist() == [0, 1]
    assert kept.rows.tolist() == [1, 4]


def test_an_empty_place_is_not_the_item_of_the_moment_beside_it():
    # Counted through, -1 of moment 1 would be item 2 of moment 0, and 3 the other way.
    truth = Truth.from_lists([[2], [0]], 3)
    hits = hit_matrix(np.array([[3, 2], [-1, 0]]), truth)
    assert hits.tolist() == [[False, True], [False, True]]


def test_no_moments():
    truth = Truth.from_lists([], 6)
    assert truth.sizes.tolist() == []
    assert truth.select(np.zeros(0, bool)).num_moments == 0


@pytest.mark.parametrize("rows", [[-1, 2], [1, 4]])  # -1: not found, as pandas says it
def test_rows_of_no_item_are_refused_not_counted_for_another_moment(rows):
    with pytest.raises(ValueError, match=r"Catalogue rows must be in 0 \.\. 3"):
        Truth.from_pairs([1, 1], rows, num_moments=2, num_items=4)


def test_pairs_of_no_moment_are_refused():
    with pytest.raises(ValueError, match=r"Lists must be in 0 \.\. 1\. Received: 2"):
        Truth.from_pairs([0, 2], [1, 1], num_moments=2, num_items=4)
