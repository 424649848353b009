"""Columns of text as the tables hold it."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from core.text.displayed import displayed


def normalize_column(
    values: pd.Series, normalize: Callable[[str], str] = displayed
) -> pd.Series:
    """Every non-null value normalized; what becomes empty becomes null."""
    mapping = {v: normalize(v) or None for v in values.dropna().unique()}
    return values.map(mapping).astype(object)
