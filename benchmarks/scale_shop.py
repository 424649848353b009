"""A simulated shop of any number of events and items; either grows alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import shops
from core.config import ShopConfig, SplitConfig
from shops.simulated import simulate
from shops.simulated.config import SIZES

_SIMULATED = 1_000_000  # beyond, further copies of the people with names of their own
_PROBE_USERS = 1_000


def write_scale_tables(
    folder: Path, num_events: int, num_items: int | None = None
) -> tuple[ShopConfig, SplitConfig]:
    """Writes items.parquet and events.parquet with about `num_events` events.

    Args:
      num_items: the demo shop's where None.
    """
    demo = SIZES["demo"]
    demo = dataclasses.replace(demo, num_items=num_items or demo.num_items)
    probe = simulate("demo", config=dataclasses.replace(demo, num_users=_PROBE_USERS))
    per_user = probe.tables.events.num_rows / _PROBE_USERS
    copies = max(1, round(num_events / _SIMULATED))
    num_users = round(num_events / copies / per_user)
    shop = simulate("demo", config=dataclasses.replace(demo, num_users=num_users))
    shops.write_tables(shop, folder)
    (folder / "judgments.parquet").unlink(missing_ok=True)
    events = pq.read_table(folder / "events.parquet")
    with pq.ParquetWriter(folder / "events.parquet", events.schema) as writer:
        for copy in range(copies):
            renamed = _renamed(events, copy).cast(events.schema)
            writer.write_table(renamed, row_group_size=250_000)
    return shop.config, shop.splits


def _renamed(events: pa.Table, copy: int) -> pa.Table:
    """The same events by other people in other sessions."""
    for name in ("user_id", "session_id"):
        place = events.column_names.index(name)
        renamed = pc.binary_join_element_wise(events.column(name), f"-{copy}", "")
        events = events.set_column(place, name, renamed)
    return events
