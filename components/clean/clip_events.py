"""Prices and quantities of events, clipped to their items' usual ranges."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.clean.winsorize import (
    FloatArray,
    IntArray,
    UsualRanges,
    usual_ranges,
    winsorize,
)
from core import features
from core.config.clean import CleanConfig

NO_VALUES: dict[str, FloatArray] = {
    features.PRICE: np.zeros(0),
    features.QUANTITY: np.zeros(0),
}


def logged_values(events: pa.Table) -> dict[str, FloatArray]:
    """Prices and quantities of events, [R] float64, NaN where missing."""
    return {
        name: events.column(name).cast(pa.float64()).to_numpy().astype(np.float64)
        for name in NO_VALUES
    }


def ranges_of(
    values: dict[str, FloatArray], rows: IntArray, config: CleanConfig
) -> dict[str, UsualRanges]:
    """Column → the usual range of each item, from all values of these items."""
    ratios = {
        features.PRICE: config.price_min_ratio,
        features.QUANTITY: config.quantity_min_ratio,
    }
    return {
        name: usual_ranges(
            values[name],
            rows,
            deviations=config.outlier_deviations,
            min_ratio=ratio,
            min_events=config.outlier_min_events,
        )
        for name, ratio in ratios.items()
    }


def winsorized(
    events: pa.Table, rows: IntArray, ranges: dict[str, UsualRanges]
) -> tuple[pa.Table, dict[str, int]]:
    """Events with prices and quantities inside their items' ranges; counts changed."""
    changed = {}
    for name, values in logged_values(events).items():
        clipped, count = winsorize(values, rows, ranges[name])
        if count:
            column = pa.array(clipped, pa.float64(), from_pandas=True)
            position = events.column_names.index(name)
            events = events.set_column(position, name, column.cast(pa.float32()))
        changed[name] = count
    return events, changed
