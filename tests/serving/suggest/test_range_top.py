from __future__ import annotations

import numpy as np
import pytest

from serving.suggest.prefix_index import PrefixIndex
from serving.suggest.range_top import RangeTop


@pytest.mark.parametrize("size", [1, 2, 7, 64, 100])
def test_any_range_gives_what_sorting_it_gives(size: int) -> None:
    rng = np.random.default_rng(size)
    scores = rng.integers(0, 6, size).astype(np.float32)  # many are equal
    ranges = RangeTop(scores)
    for _ in range(200):
        low, high = sorted(rng.integers(0, size + 1, 2).tolist())
        expected = sorted(range(low, high), key=lambda i: (-scores[i], i))

        assert ranges.top(low, high, 5) == expected[:5]


def test_nothing_to_rank() -> None:
    assert RangeTop(np.zeros(0, np.float32)).top(0, 0, 3) == []


def test_a_key_keeps_its_best_value() -> None:
    index = PrefixIndex([("mug", 1.0, "a"), ("mug", 3.0, "b"), ("mud", 2.0, "c")])

    assert index.top("mu", 5) == [("mug", 3.0, "b"), ("mud", 2.0, "c")]
    assert index.top("mux", 5) == []
