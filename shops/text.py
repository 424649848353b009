"""Text as the tables hold it: NFKC, single spaces, case kept."""

from __future__ import annotations

import unicodedata

import pandas as pd


def normalize_text(text: str) -> str:
    """NFKC form with runs of white space as one space, none at the ends."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def normalize_column(values: pd.Series) -> pd.Series:
    """`normalize_text` on every non-null value; what becomes empty becomes null."""
    mapping = {v: normalize_text(v) or None for v in values.dropna().unique()}
    return values.map(mapping).astype(object)
