"""How many moments fit, by hand."""

import pytest

from core.room import batch_size, kept_moments


@pytest.mark.parametrize(
    ("limit", "num_items", "expected"),
    [
        (64, 5_000, 64),  # 48 M / 120,000 = 400
        (64, 100_000, 20),
        (128, 1_000_000, 2),
        (64, 10**9, 1),
        (64, 0, 64),  # an empty catalogue
    ],
)
def test_a_batch_of_a_bigger_catalogue_is_smaller(limit, num_items, expected) -> None:
    assert batch_size(limit, num_items) == expected


@pytest.mark.parametrize(
    ("limit", "num_items", "signals", "expected"),
    [(1_500, 5_000, 7, 1_500), (1_500, 1_000_000, 7, 21), (600, 10**9, 17, 1)],
)
def test_fewer_moments_of_a_bigger_catalogue_are_kept(
    limit, num_items, signals, expected
) -> None:
    assert kept_moments(limit, num_items, signals) == expected
