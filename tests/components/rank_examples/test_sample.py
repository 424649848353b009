from __future__ import annotations

import numpy as np
import pytest

from components.evaluate_funnel.test_set import build_test_set
from components.rank_examples.sample import sample_candidates
from tests.components import small_world


@pytest.fixture(scope="module")
def test_set():
    events = small_world.events_table()
    moments = small_world.moments_table(events)
    items = small_world.items_table()
    return build_test_set(moments, items, events, small_world.SHOP)


def test_positives_are_relevant_negatives_are_not_and_nothing_repeats(test_set):
    moments, rows, labels = sample_candidates(
        test_set, negatives=4, max_rows=10_000, seed=1
    )
    truth = set(zip(test_set.truth.moments, test_set.truth.rows, strict=True))
    pairs = list(zip(moments, rows, strict=True))
    assert [p in truth for p in pairs] == (labels > 0.5).tolist()
    assert len(set(pairs)) == len(pairs)
    assert set(moments) == set(range(test_set.num_moments))
    assert labels.sum() == len(truth)  # three targets at most, so none is cut


def test_rows_are_bounded_and_a_seed_repeats_them(test_set):
    one = sample_candidates(test_set, negatives=4, max_rows=50, seed=1)
    two = sample_candidates(test_set, negatives=4, max_rows=50, seed=1)
    assert 40 < len(one[0]) <= 50
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
