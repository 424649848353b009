"""The data contract's rules for items and judgments, as rows set aside."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from core.features import GRADE, IN_STOCK, ITEM_ID, PRICE, QUERY, TITLE
from core.text.displayed import category_path, displayed
from shops.columns import RowChecks
from shops.text import normalize_column

TEXT_COLUMNS = {
    "title": displayed,
    "description": displayed,
    "brand": displayed,
    "category": category_path,
}


def check_items(frame: pd.DataFrame, checks: RowChecks) -> None:
    """Normalizes the texts of `frame` in place and rejects rows that break a rule."""
    for name, normalize in TEXT_COLUMNS.items():
        if name in frame:
            frame[name] = normalize_column(frame[name], normalize)
    checks.reject(frame[ITEM_ID].isna(), "no item_id")
    checks.reject(frame[TITLE].isna(), "no title")
    checks.reject_if_not_above_zero(frame, PRICE)
    if IN_STOCK in frame:
        bad = frame[IN_STOCK].notna() & ~frame[IN_STOCK].isin([0, 1])
        checks.reject(bad, "in_stock is neither 0 nor 1")
    kept = checks.reasons.isna()
    checks.reject(
        kept & frame[ITEM_ID].where(kept).duplicated(), "item_id appears before"
    )


def check_judgments(
    frame: pd.DataFrame, checks: RowChecks, item_ids: Collection[str]
) -> None:
    """Normalizes the queries of `frame` in place and rejects rows that break a rule.

    Of two grades for one query and item the first stands.

    Args:
      frame: columns query, item_id (text) and grade (Int64 or float).
      checks: the file's rows.
      item_ids: ids of the kept items.
    """
    frame[QUERY] = normalize_column(frame[QUERY])
    checks.reject(frame[QUERY].isna(), "no query")
    checks.reject(~frame[ITEM_ID].isin(set(item_ids)), "item_id is not in items")
    checks.reject(frame[GRADE].isna(), "no grade")
    checks.reject(frame[GRADE] < 0, "grade is below zero")
    kept = checks.reasons.isna()
    again = frame[[QUERY, ITEM_ID]].where(kept).duplicated()
    checks.reject(kept & again, "query and item_id appear before")
