"""What a page may say of a mean over few moments, or over none."""

from __future__ import annotations

from components.report.charts import Point
from components.report.data import Json

# Resamples of fewer moments repeat each other: one moment gives an interval of width 0.
LEAST_MOMENTS = 5


def known(value: Json | None, num_moments: int) -> Json | None:
    """The value without its interval where that says nothing; None of no moment.

    Args:
      value: {value} or {value, low, high}; None for none.
      num_moments: how many moments, or searches, the mean is over.
    """
    return _trimmed(value, num_moments) if value and num_moments else None


def point(label: str, value: Json, num_moments: int, *, strong: bool = False) -> Point:
    """A chart's dot, its whisker only where the interval says something."""
    return Point(label, **_trimmed(value, num_moments), strong=strong)


def _trimmed(value: Json, num_moments: int) -> Json:
    return value if num_moments >= LEAST_MOMENTS else {"value": value["value"]}
