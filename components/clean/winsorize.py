"""Clips prices and quantities that lie absurdly far from their item's usual ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

MAD_TO_DEVIATION = 1.4826  # of a normal distribution


def winsorize(
    values: npt.NDArray[np.float64],
    items: npt.NDArray[np.int64],
    *,
    deviations: float,
    min_ratio: float,
    min_events: int,
) -> tuple[npt.NDArray[np.float64], int]:
    """Values clipped to their item's robust range, and how many were changed.

    With m the median of an item's log values and s = 1.4826 · median |log value - m|,
    the range is exp(m ± max(deviations · s, log min_ratio)).

    Args:
      values: [R] float64 > 0, NaN where missing.
      items: [R] int64 item codes.
      deviations: robust deviations that are still usual.
      min_ratio: > 1; a value within this factor of the median is never changed.
      min_events: items with fewer known values are left as they are.

    Returns:
      ([R] float64, number of changed values).
    """
    known = np.flatnonzero(np.isfinite(values))
    if len(known) == 0:
        return values, 0
    logs = pd.Series(np.log(values[known]))
    groups = items[known]
    medians = logs.groupby(groups).transform("median")
    spread = (logs - medians).abs().groupby(groups).transform("median")
    counts = logs.groupby(groups).transform("size")
    width = np.maximum(deviations * MAD_TO_DEVIATION * spread, np.log(min_ratio))
    clipped = np.clip(logs, medians - width, medians + width)
    changed = ((clipped != logs) & (counts >= min_events)).to_numpy()
    result = values.copy()
    result[known[changed]] = np.exp(clipped.to_numpy()[changed])
    return result, int(changed.sum())
