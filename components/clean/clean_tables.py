"""Raw items and events → clean catalogue, denormalized events and rejected rows."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from components.clean import rules, text
from components.clean.clip_events import logged_values, ranges_of, winsorized
from components.clean.denormalize import catalogue_rows, denormalized
from components.clean.winsorize import IntArray
from core import features
from core.config.clean import CleanConfig
from core.config.shop import ShopConfig
from core.errors import InputDataError
from core.tables import EVENTS
from core.text.displayed import category_path, displayed

_TEXT_COLUMNS = {
    features.TITLE: displayed,
    features.DESCRIPTION: displayed,
    features.BRAND: displayed,
    features.CATEGORY: category_path,
    features.QUERY: displayed,
}
REJECTED_SCHEMA = pa.schema(
    [("table", pa.string()), ("row", pa.string()), ("reason", pa.string())]
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CleanTables:
    """What cleaning leaves, and what it took out."""

    items: pa.Table  # sorted by item_id in byte order
    events: pa.Table  # denormalized; sorted by user_id, timestamp, item_id
    rejected: pa.Table  # table, row (JSON), reason
    summary: dict[str, Any]


def clean_tables(
    items: pa.Table,
    events: pa.Table | None,
    shop: ShopConfig,
    config: CleanConfig,
    latest_timestamp: int,
) -> CleanTables:
    """Applies every rule of docs/data-validation.md, to whole tables in memory.

    The Clean step does the same on Beam, one group of users at a time
    (`clean_in_beam`).

    Args:
      items: raw items, all columns of the data contract, plain; null where there is
        nothing, as `shops.contract.to_table` leaves them.
      events: raw events, likewise, plus the shop's context columns; None for a shop
        without a log, whose clean events have all columns and no rows.
      shop: event types and context columns.
      config: limits of the rules.
      latest_timestamp: newest time that is not in the future, seconds UTC.

    Raises:
      InputDataError: no item is left, or no event of a log.
    """
    kept_items, rejected_items = clean_items(items)
    require_rows(kept_items.num_rows, rejected_reasons(rejected_items), "items")
    has_log = events is not None
    events = no_events(shop.context_features) if events is None else events
    kept, rejected_events = clean_events(
        events, kept_items, shop, config, latest_timestamp
    )
    if has_log:
        require_rows(kept.num_rows, rejected_reasons(rejected_events), "events")
    rows = catalogue_rows(kept, kept_items)
    kept, changed = winsorized(kept, rows, ranges_of(logged_values(kept), rows, config))
    complete = denormalized(kept, kept_items, rows, shop.context_features)
    summary = {
        "items": counts(items, kept_items, rejected_items),
        "events": counts(events, complete, rejected_events) | {"winsorized": changed},
    }
    return CleanTables(
        items=kept_items,
        events=complete,
        rejected=pa.concat_tables([rejected_items, rejected_events]),
        summary=summary,
    )


def no_events(context: Sequence[str]) -> pa.Table:
    """The raw events of a shop without a log: all columns, no rows."""
    kinds = {"string": pa.string(), "int64": pa.int64(), "float32": pa.float32()}
    columns = {column.name: kinds[column.kind] for column in EVENTS}
    columns |= dict.fromkeys(context, pa.string())
    return pa.schema(columns).empty_table()


def clean_items(items: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The catalogue sorted by item_id in byte order, and what was rejected."""
    normal = _normalized(items, _TEXT_COLUMNS)
    reasons = rules.first_reason(rules.item_rules(normal), items.num_rows)
    kept, rejected = _partition(items, normal, reasons, "items")
    repeated = rules.repeated_id(kept, features.ITEM_ID)
    again = rules.first_reason({"item_id seen before": repeated}, kept.num_rows)
    kept, repeats = _partition(kept, kept, again, "items")
    order = pc.sort_indices(kept.column(features.ITEM_ID))  # UTF-8 byte order
    return kept.take(order), pa.concat_tables([rejected, repeats])


def clean_events(
    events: pa.Table,
    items: pa.Table,
    shop: ShopConfig,
    config: CleanConfig,
    latest_timestamp: int,
) -> tuple[pa.Table, pa.Table]:
    """Events that break no rule, and what was rejected.

    Args:
      events: raw; all events of these users, in the order in which they came.
      items: the clean catalogue.
      shop, config, latest_timestamp: as `clean_tables` has them.
    """
    normal = _normalized(events, (features.QUERY, *shop.context_features))
    broken = rules.event_rules(
        normal, items.column(features.ITEM_ID), shop.event_types, latest_timestamp
    )
    reasons = rules.first_reason(broken, events.num_rows)
    kept, rejected = _partition(events, normal, reasons, "events")
    users, _ = pd.factorize(kept.column(features.USER_ID).to_numpy())
    bots = rules.bot_like(users, _integers(kept, features.TIMESTAMP), config)
    bot_reasons = rules.first_reason({"bot-like user": bots}, kept.num_rows)
    kept, from_bots = _partition(kept, kept, bot_reasons, "events")
    return kept, pa.concat_tables([rejected, from_bots])


def _normalized(table: pa.Table, names: Iterable[str]) -> pa.Table:
    for name in names:
        if name in table.column_names:
            position = table.column_names.index(name)
            column = text.normalize_column(
                table.column(name), _TEXT_COLUMNS.get(name, displayed)
            )
            table = table.set_column(position, name, column)
    return table


def _partition(
    original: pa.Table,
    normal: pa.Table,
    reasons: npt.NDArray[np.object_],
    name: str,
) -> tuple[pa.Table, pa.Table]:
    """Kept rows as normalized; rejected ones as they came."""
    broken = np.asarray(pd.notna(reasons))
    if not broken.any():
        return normal, REJECTED_SCHEMA.empty_table()
    lines = [
        json.dumps(row, ensure_ascii=False)
        for row in original.filter(pa.array(broken)).to_pylist()
    ]
    rejected = pa.table(
        [[name] * len(lines), lines, reasons[broken].tolist()], schema=REJECTED_SCHEMA
    )
    return normal.filter(pa.array(~broken)), rejected


def _integers(table: pa.Table, column: str) -> IntArray:
    return np.asarray(table.column(column).to_numpy(), dtype=np.int64)


def counts(before: pa.Table, after: pa.Table, rejected: pa.Table) -> dict[str, Any]:
    """Rows in, rows out, and rejected rows by reason, the most frequent first."""
    return {
        "rows_in": before.num_rows,
        "rows_out": after.num_rows,
        "rejected": dict(rejected_reasons(rejected).most_common()),
    }


def rejected_reasons(rejected: pa.Table) -> Counter[str]:
    """Rejected rows by reason."""
    return Counter(rejected.column("reason").to_pylist())


def require_rows(kept: int, reasons: Counter[str], name: str) -> None:
    """Raises InputDataError where no row of a table is kept."""
    if kept:
        return
    counted = ", ".join(
        f"{count} x {reason}" for reason, count in reasons.most_common()
    )
    raise InputDataError(
        f"At least one row of `{name}` must pass the cleaning rules. "
        f"Received: 0 of {reasons.total()} ({counted}). "
        "Correct the data, or the rules' limits in CleanConfig."
    )
