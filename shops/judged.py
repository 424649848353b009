"""A shop of a published search collection: items and judgments, nobody's events."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa

from core.config import ShopConfig
from core.errors import InputDataError
from core.features import GRADE, ITEM_ID
from shops import contract, files
from shops.checks import check_items, check_judgments
from shops.columns import RowChecks
from shops.shop import NO_SPLITS, Shop, Tables


def find_file(data: Path, name: str, folders: tuple[str, ...] = ()) -> Path:
    """`name` in the folder `data` or in one of its `folders`.

    Raises:
      InputDataError: it is in none of them.
    """
    for folder in ("", *folders):
        if (data / folder / name).is_file():
            return data / folder / name
    raise InputDataError(
        f"{data} must be the folder that holds {name}. Download the collection "
        "(docs/data.md says from where) and pass its folder to --data."
    )


def read_table(
    path: Path, columns: tuple[str, ...], *, delimiter: str | None = None
) -> tuple[pa.Table, list[str]]:
    """The named columns of a file, and the text of its broken lines.

    Raises:
      InputDataError: the file cannot be read, or a column is missing.
    """
    table, bad_lines = files.read_file(path, delimiter=delimiter)
    missing = [name for name in columns if name not in table.column_names]
    if missing:
        raise InputDataError(
            f"{path} has no column {', '.join(missing)}. Found: "
            f"{', '.join(table.column_names)}. Use the published file as it is."
        )
    return table.select(list(columns)), bad_lines


def checks_of(
    table: str, path: Path, rows: pa.Table, bad_lines: list[str]
) -> RowChecks:
    """The rows as they came, for the `rejected` table."""
    return RowChecks(table=table, path=path, raw=rows.to_pandas(), lines=bad_lines)


def text(values: pd.Series) -> pd.Series:
    """[R] stripped text, null where there is none."""
    stripped = values.astype("string").str.strip().astype(object)
    return stripped.where(stripped.notna() & (stripped != ""), None)


def joined(parts: list[pd.Series], separator: str = ". ") -> pd.Series:
    """[R] the non-null texts of each row as one, null where all are null."""
    rows = [
        separator.join(str(part).rstrip(". ") for part in row if part is not None)
        for row in zip(*parts, strict=True)
    ]
    return pd.Series([row or None for row in rows], index=parts[0].index, dtype=object)


def grades(labels: pd.Series, worth: Mapping[str, int], checks: RowChecks) -> pd.Series:
    """[R] Int64 grade of each label; a label that is not in `worth` is rejected."""
    found = labels.map(dict(worth)).astype("Int64")
    checks.reject(found.isna(), f"label is not one of {', '.join(worth)}")
    return found


def shop_of(
    name: str,
    items: pd.DataFrame,
    item_checks: RowChecks,
    judgments: pd.DataFrame,
    judgment_checks: RowChecks,
    *,
    currency: str = "",
) -> Shop:
    """The shop of canonical columns, checked against the data contract.

    Args:
      name: of the shop.
      items: canonical columns of `items`, one row per raw row.
      item_checks: the raw rows of `items`.
      judgments: query, item_id, grade (Int64), one row per raw row.
      judgment_checks: the raw rows of `judgments`.
      currency: of the prices, if there are some.

    Raises:
      InputDataError: no item or no judgment is left.
    """
    check_items(items, item_checks)
    kept_items, rejected_items = item_checks.split(items)
    check_judgments(judgments, judgment_checks, set(kept_items[ITEM_ID]))
    kept, rejected = judgment_checks.split(judgments)
    kept[GRADE] = kept[GRADE].astype("int64")
    return Shop(
        tables=Tables(
            items=contract.to_table(kept_items, "items"),
            events=contract.no_events(),
            judgments=contract.to_table(kept, "judgments"),
            rejected=pa.concat_tables([rejected_items, rejected]),
        ),
        config=ShopConfig(name=name, currency=currency),
        splits=NO_SPLITS,
    )
