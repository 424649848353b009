"""Clipping by item, against ranges computed by hand."""

from __future__ import annotations

import numpy as np

from components.clean.winsorize import usual_ranges, winsorize


def _clip(values: list[float], items: list[int]) -> tuple[list[float], int]:
    ranges = usual_ranges(
        np.array(values),
        np.array(items),
        deviations=6.0,
        min_ratio=10.0,
        min_events=5,
    )
    clipped, changed = winsorize(np.array(values), np.array(items), ranges)
    return clipped.tolist(), changed


def test_values_far_from_the_median_are_clipped() -> None:
    # Median 2, median deviation 0, so the range is [2 / 10, 2 * 10].
    clipped, changed = _clip([2, 2, 2, 2, 2, 900, 0.001, 19, 0.3], [0] * 9)
    np.testing.assert_allclose(clipped, [2, 2, 2, 2, 2, 20, 0.2, 19, 0.3])
    assert changed == 2


def test_wide_spread_widens_the_range() -> None:
    # Logs base e of 1, 4, 16, 64, 256: median log 16, deviations of it are
    # 2, 1, 0, 1, 2 times log 4; their median is log 4 = 1.386, so the range reaches
    # 6 * 1.4826 * 1.386 = 12.3 beyond log 16 and nothing is clipped.
    values = [1.0, 4.0, 16.0, 64.0, 256.0]
    assert _clip(values, [0] * 5) == (values, 0)


def test_the_range_of_widely_spread_values_ends_too() -> None:
    # As above: 6 * 1.4826 * log 4 on either side of log 16.
    usual, items = np.array([1.0, 4.0, 16.0, 64.0, 256.0]), np.zeros(5, np.int64)
    ranges = usual_ranges(usual, items, deviations=6.0, min_ratio=10.0, min_events=5)
    asked = np.array([3e6, 1e7, 1e-4, 1e-6, np.nan])
    clipped, changed = winsorize(asked, items, ranges)
    factor = 4.0 ** (6 * 1.4826)  # 226,856
    np.testing.assert_allclose(clipped, [3e6, 16 * factor, 1e-4, 16 / factor, np.nan])
    assert changed == 2


def test_a_rare_item_does_not_get_the_range_of_the_one_beside_it() -> None:
    values = [900.0, *[2.0] * 6, 900.0]
    assert _clip(values, [0, *[1] * 6, 2]) == (values, 0)


def test_rare_items_and_missing_values_stay() -> None:
    values = [2.0, 2.0, 2.0, 900.0, float("nan")]
    clipped, changed = _clip(values, [0] * 5)
    assert changed == 0
    np.testing.assert_equal(clipped, values)
    assert _clip([], []) == ([], 0)


def test_items_do_not_mix() -> None:
    values = [1.0] * 6 + [1000.0] * 6
    assert _clip(values, [0] * 6 + [1] * 6)[1] == 0


def test_just_enough_events_have_a_range():
    clipped, changed = _clip([2.0, 2.0, 2.0, 2.0, 900.0], [0] * 5)  # min_events = 5
    np.testing.assert_allclose(clipped, [2, 2, 2, 2, 20])
    assert changed == 1
