"""Online Retail (UCI dataset 352): 541,909 invoice lines of a British gift wholesaler.

Chen, D. (2015). Online Retail [Dataset]. UCI Machine Learning Repository.
https://doi.org/10.24432/C5BW33. Licensed CC BY 4.0.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from core.config import ShopConfig, SplitConfig
from core.errors import InputDataError
from core.features import PURCHASE
from core.progress import counted
from core.tables import NO_CUSTOMER_ID
from shops import contract, files, online_retail_source
from shops.shop import Shop, Tables
from shops.text import normalize_column

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
TEST_START = 1_320_105_600  # 2011-11-01 00:00 UTC; the data ends 39 days later

CONFIG = ShopConfig(
    name="online-retail",
    event_types=(PURCHASE,),
    event_weights=(1.0,),
    context_features=("country",),
    currency="GBP",
)
SPLITS = SplitConfig(
    test_start=TEST_START,
    horizon_days=39,
    stride_days=14,
    num_cutoffs=7,
    fit_cutoffs=4,
    max_history=1024,  # wholesalers buy hundreds of items in one invoice
)


def load(data: Path | None = None) -> Shop:
    """The shop from a local copy (a file or a folder), else fetched from UCI.

    Raises:
      InputDataError: there is no readable copy, or a column is missing.
    """
    path = online_retail_source.find(data)
    table, bad_lines = files.read_file(path)
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise InputDataError(
            f"{path} has no column {', '.join(missing)}. Online Retail has the columns "
            f"{', '.join(COLUMNS)}; found {', '.join(table.column_names)}."
        )
    del bad_lines  # the published file has none
    return from_lines(typed_lines(table.select(list(COLUMNS)).to_pandas(), path))


def typed_lines(lines: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Invoice lines with numbers and times in their own types, customers as text."""
    typed = lines.copy()
    for name in ("Quantity", "UnitPrice"):
        typed[name] = _numbers(lines[name], path)
    customers = _numbers(lines["CustomerID"], path)
    typed["CustomerID"] = customers.astype("Int64").astype("string").astype(object)
    typed["CustomerID"] = typed["CustomerID"].where(customers.notna(), None)
    if lines["InvoiceDate"].dtype == object:
        typed["InvoiceDate"] = online_retail_source.parse_dates(lines["InvoiceDate"])
        _refuse(lines["InvoiceDate"], typed["InvoiceDate"], "a date", path)
    return typed


def from_lines(lines: pd.DataFrame) -> Shop:
    """The shop of invoice lines, by the protocol that docs/data.md states."""
    reasons = rejection_reasons(lines)
    kept = lines[reasons.isna()]
    if kept.empty:
        raise InputDataError(
            "No invoice line is left after the protocol's filters. Check that the file "
            "is Online Retail and not an extract of cancellations."
        )
    dropped = reasons.notna()
    return Shop(
        tables=Tables(
            items=items_of(kept),
            events=events_of(kept),
            rejected=contract.rejected_rows("events", lines[dropped], reasons[dropped]),
        ),
        config=CONFIG,
        splits=SPLITS,
    )


def rejection_reasons(lines: pd.DataFrame) -> pd.Series:
    """[R] why a line is not a purchase of a product; null where it is kept.

    The first rule that a line breaks gives its reason.
    """
    rules = {
        "exact duplicate line": lines.duplicated(),
        NO_CUSTOMER_ID: lines["CustomerID"].isna(),
        "cancelled invoice": lines["InvoiceNo"].str.startswith("C", na=False),
        "quantity not above zero": ~(lines["Quantity"] > 0),
        "price not above zero": ~(lines["UnitPrice"] > 0),
        "not a product (stock code does not start with five digits)": ~lines[
            "StockCode"
        ].str.match(r"[0-9]{5}", na=False),
    }
    reasons = np.select(
        [broken.to_numpy() for broken in rules.values()], list(rules), default=""
    ).astype(object)
    reasons[reasons == ""] = None
    return pd.Series(reasons, index=lines.index, dtype=object)


def events_of(kept: pd.DataFrame) -> pa.Table:
    """The `events` table: one purchase per kept invoice line, country as context."""
    events = pd.DataFrame(
        {
            "user_id": kept["CustomerID"],
            "item_id": kept["StockCode"],
            "event": PURCHASE,
            "timestamp": seconds(kept["InvoiceDate"]),
            "quantity": kept["Quantity"].astype("float32"),
            "price": kept["UnitPrice"].astype("float32"),
            "session_id": kept["InvoiceNo"],
            "country": kept["Country"],
        }
    )
    return contract.to_table(events, "events", CONFIG.context_features)


def items_of(kept: pd.DataFrame) -> pa.Table:
    """The `items` table: every kept stock code, described by what precedes the test.

    The title is the most frequent description and the price the median unit price, of
    the lines before TEST_START where the item has some; of its first line otherwise.
    """
    frame = pd.DataFrame(
        {
            "item_id": kept["StockCode"],
            "title": normalize_column(kept["Description"]),
            "price": kept["UnitPrice"],
            "timestamp": seconds(kept["InvoiceDate"]),
        }
    ).sort_values(["timestamp", "item_id"], kind="stable")
    known = frame[frame["timestamp"] < TEST_START]
    late = frame[~frame["item_id"].isin(known["item_id"])].drop_duplicates("item_id")
    described = pd.concat([known, late])
    counts = (
        described.groupby(["item_id", "title"]).size().rename("lines").reset_index()
    )
    counts = counts.sort_values(
        ["item_id", "lines", "title"], ascending=[True, False, True]
    )
    items = (
        described.groupby("item_id")["price"].median().astype("float32").reset_index()
    )
    titles = counts.drop_duplicates("item_id").set_index("item_id")["title"]
    items["title"] = items["item_id"].map(titles).fillna(items["item_id"])
    return contract.to_table(items, "items")


def seconds(times: pd.Series) -> pd.Series:
    """Seconds since 1970 of naive times, taken as UTC."""
    return times.astype("datetime64[ns]").astype("int64") // 1_000_000_000


def _numbers(values: pd.Series, path: Path) -> pd.Series:
    if values.dtype != object:
        return values
    numbers = pd.to_numeric(values, errors="coerce")
    _refuse(values, numbers, "a number", path)
    return numbers


def _refuse(raw: pd.Series, parsed: pd.Series, kind: str, path: Path) -> None:
    bad = raw.notna() & parsed.isna()
    if bad.any():
        rows = ", ".join(str(i + 1) for i in np.flatnonzero(bad)[:5])
        raise InputDataError(
            f"{path}: {raw.name} must be {kind}. Rows {rows} (the header not counted) "
            f"hold {raw[bad].iloc[0]!r} and the like; "
            f"{counted(int(bad.sum()), 'row')} in all. Use the published file as it is."
        )
