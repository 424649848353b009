"""A shop small enough to count by hand, and writers of its tables and artifacts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from components.ingest import conform
from core.config.shop import ShopConfig
from core.config.splits import SplitConfig
from core.features import SECONDS_PER_DAY
from trainer.data import examples

DAY = SECONDS_PER_DAY
T2 = 100 * DAY  # test from day 100; T1 on day 93; cut-offs on days 93, 86, 79, 72
SHOP = ShopConfig(
    name="corner",
    event_types=("view", "purchase"),
    event_weights=(0.1, 1.0),
    context_features=("country",),
)
SPLITS = SplitConfig(test_start=T2, horizon_days=7, stride_days=7, num_cutoffs=4)


def items_table(num_items: int = 6) -> pa.Table:
    """`num_items` items in falling order of id; every second one has no brand."""
    rows = [
        {
            "item_id": f"i{n}",
            "title": f"Item {n}",
            "brand": "Acme" if n % 2 else None,
            "category": "Home > Tea",
            "price": 10.0 + n,
        }
        for n in reversed(range(num_items))
    ]
    return as_table("items", rows)


def events_table(num_users: int = 8, first_day: int = 60, days: int = 50) -> pa.Table:
    """Each user buys one item on every day of the span, user n at n o'clock."""
    rows = [
        event(f"u{user}", f"i{(user + day) % 6}", day * DAY + user * 3600)
        for user in range(num_users)
        for day in range(first_day, first_day + days)
    ]
    return as_table("events", rows)


def event(user: str | None, item: str | None, timestamp: int, **more: Any) -> Any:
    """One purchase; `more` sets or overrides columns."""
    row = {"user_id": user, "item_id": item, "timestamp": timestamp}
    return row | {"event": "purchase", "price": 9.5, "country": "FR"} | more


def as_table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as Ingest would hand them on: every column of the contract."""
    columns = conform.columns_of(name, SHOP.context_features)
    arrays = [
        pa.array([row.get(c.name) for row in rows], conform.ARROW_TYPES[c.kind])
        for c in columns
    ]
    return pa.table(arrays, names=[c.name for c in columns])


def write_tables(folder: Path, items: pa.Table, events: pa.Table) -> None:
    """`items.parquet` and `events.parquet`, as a shop's adapter leaves them."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(items, folder / "items.parquet")
    pq.write_table(events, folder / "events.parquet")


def write_examples(uri: Path, **splits: pa.Table) -> str:
    """An Examples artifact's folder with these splits; gives back its uri."""
    for name, table in splits.items():
        examples.write_split(str(uri), name, table)
    return str(uri)
