"""How many moments fit, by hand."""

import pytest

from core.room import moments_at_once


@pytest.mark.parametrize(
    ("limit", "num_items", "signals", "expected"),
    [
        (64, 5_000, 24, 64),  # 150 M / 120,000 = 1,250
        (64, 100_000, 24, 62),  # 150 M / 2.4 M = 62.5
        (128, 1_000_000, 24, 6),
        (1_500, 1_000_000, 7, 21),
        (64, 10**9, 24, 1),
        (64, 0, 24, 64),  # an empty catalogue
    ],
)
def test_a_bigger_catalogue_has_room_for_fewer(limit, num_items, signals, expected):
    assert moments_at_once(limit, num_items, signals) == expected
