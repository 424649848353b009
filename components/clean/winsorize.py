"""Clips prices and quantities that lie absurdly far from their item's usual ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

MAD_TO_DEVIATION = 1.4826  # of a normal distribution
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class UsualRanges(NamedTuple):
    """Of I items with enough values, by item: bounds of the logarithm."""

    items: IntArray  # [I] ascending
    lows: FloatArray  # [I]
    highs: FloatArray  # [I]


def usual_ranges(
    values: FloatArray,
    items: IntArray,
    *,
    deviations: float,
    min_ratio: float,
    min_events: int,
) -> UsualRanges:
    """Each item's robust range.

    With m the median of an item's log values and s = 1.4826 · median |log value - m|,
    the range is exp(m ± max(deviations · s, log min_ratio)).

    Args:
      values: [R] float64 > 0, NaN where missing.
      items: [R] int64 item codes; all values of an item are here.
      deviations: robust deviations that are still usual.
      min_ratio: > 1; a value within this factor of the median is never changed.
      min_events: items with fewer known values have no range.
    """
    known = np.flatnonzero(np.isfinite(values))
    if len(known) == 0:
        return UsualRanges(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    logs = pd.Series(np.log(values[known]))
    groups = items[known]
    grouped = logs.groupby(groups)
    medians, counts = grouped.median(), grouped.size().to_numpy()
    centers = medians.to_numpy()
    deviation = (logs - centers[np.searchsorted(medians.index, groups)]).abs()
    spread = deviation.groupby(groups).median().to_numpy()
    width = np.maximum(deviations * MAD_TO_DEVIATION * spread, np.log(min_ratio))
    enough = counts >= min_events
    return UsualRanges(
        medians.index.to_numpy().astype(np.int64)[enough],
        (centers - width)[enough],
        (centers + width)[enough],
    )


def winsorize(
    values: FloatArray, items: IntArray, ranges: UsualRanges
) -> tuple[FloatArray, int]:
    """Values clipped to their item's range.

    Args:
      values: [R] float64 > 0, NaN where missing.
      items: [R] int64 item codes.
      ranges: of `usual_ranges`; an item without one keeps its values.

    Returns:
      ([R] float64, number of changed values).
    """
    if len(ranges.items) == 0 or len(values) == 0:
        return values, 0
    found = np.searchsorted(ranges.items, items).clip(max=len(ranges.items) - 1)
    ranged = (ranges.items[found] == items) & np.isfinite(values)
    logs = np.log(np.where(ranged, values, 1.0))
    clipped = np.clip(logs, ranges.lows[found], ranges.highs[found])
    changed = ranged & (clipped != logs)
    result = values.copy()
    result[changed] = np.exp(clipped[changed])
    return result, int(changed.sum())
