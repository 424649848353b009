"""Row rules: each says which rows break it; the first broken rule gives the reason.

A rule is a function from a table [R] to a mask [R] bool, True where the row breaks it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from components.clean import text
from core import features
from core.config.clean import CleanConfig

Mask = npt.NDArray[np.bool_]
_SECONDS_PER_HOUR = 3600


def item_rules(items: pa.Table) -> dict[str, Mask]:
    """Reason → mask [R], in order of precedence, for the items table."""
    return {
        "missing item_id": missing(items, features.ITEM_ID),
        "missing title": missing(items, features.TITLE),
        "exact duplicate": exact_duplicate(items),
        "price not above zero": not_above_zero(items, features.PRICE),
        "in_stock neither 0 nor 1": outside(items, features.IN_STOCK, 0, 1),
    }


def event_rules(
    events: pa.Table,
    item_ids: pa.ChunkedArray,
    event_types: Sequence[str],
    latest_timestamp: int,
) -> dict[str, Mask]:
    """Reason → mask [R], in order of precedence, for the events table.

    Args:
      events: [R] rows.
      item_ids: ids of the clean catalogue.
      event_types: the shop's.
      latest_timestamp: newest time that is not in the future, seconds UTC.
    """
    return {
        "missing user_id": missing(events, features.USER_ID),
        "missing item_id": missing(events, features.ITEM_ID),
        "missing event": missing(events, features.EVENT),
        "missing timestamp": _mask(events.column(features.TIMESTAMP).is_null()),
        "exact duplicate": exact_duplicate(events),
        "unknown event type": not_in(events, features.EVENT, pa.array(event_types)),
        "item not in the catalogue": not_in(events, features.ITEM_ID, item_ids),
        "timestamp before 1970": outside(events, features.TIMESTAMP, 0, None),
        "timestamp in the future": outside(
            events, features.TIMESTAMP, None, latest_timestamp
        ),
        "price not above zero": not_above_zero(events, features.PRICE),
        "quantity not above zero": not_above_zero(events, features.QUANTITY),
        "negative position": outside(events, features.POSITION, 0, None),
    }


def first_reason(rules: Mapping[str, Mask], num_rows: int) -> npt.NDArray[np.object_]:
    """[R] reason of the first rule that a row breaks; None where it breaks none."""
    reasons = np.full(num_rows, None, dtype=object)
    for reason, broken in reversed(list(rules.items())):
        reasons[broken] = reason
    return reasons


def missing(table: pa.Table, column: str) -> Mask:
    """Null, empty or blank text."""
    return _mask(text.is_blank(table.column(column)))


def exact_duplicate(table: pa.Table) -> Mask:
    """Equal to an earlier row in every column."""
    codes = {name: _codes(table.column(name)) for name in table.column_names}
    return np.asarray(pd.DataFrame(codes).duplicated(), dtype=bool)


def repeated_id(table: pa.Table, column: str) -> Mask:
    """An id that an earlier row has already."""
    return np.asarray(pd.Series(_codes(table.column(column))).duplicated(), dtype=bool)


def not_in(table: pa.Table, column: str, known: pa.Array | pa.ChunkedArray) -> Mask:
    """A value that is not one of `known`."""
    values = known.combine_chunks() if isinstance(known, pa.ChunkedArray) else known
    return ~_mask(pc.is_in(table.column(column), value_set=values))


def outside(table: pa.Table, column: str, low: int | None, high: int | None) -> Mask:
    """A number below `low` or above `high`; a missing one breaks nothing."""
    values = table.column(column)
    broken = np.zeros(len(values), dtype=bool)
    if low is not None:
        broken |= _mask(pc.less(values, low))
    if high is not None:
        broken |= _mask(pc.greater(values, high))
    return broken


def not_above_zero(table: pa.Table, column: str) -> Mask:
    """Zero, negative or infinite; a missing number breaks nothing."""
    values = table.column(column)
    finite = pc.fill_null(pc.is_finite(values), True)
    return _mask(pc.less_equal(values, 0.0)) | ~_mask(finite)


def bot_like(
    users: npt.NDArray[np.int64], timestamps: npt.NDArray[np.int64], config: CleanConfig
) -> Mask:
    """Events of users with more events per hour than a person makes, hour after hour.

    Args:
      users: [R] user codes.
      timestamps: [R] seconds UTC.
      config: bot-like is more than `bot_events_per_hour` events in each of at least
        `bot_hours` clock hours.
    """
    if len(users) == 0:
        return np.zeros(0, dtype=bool)
    hours = timestamps // _SECONDS_PER_HOUR
    hourly = pd.DataFrame({"user": users, "hour": hours}).value_counts(sort=False)
    busy = hourly[hourly > config.bot_events_per_hour]
    busy_hours = busy.groupby(level="user").size()
    bots = busy_hours.index[busy_hours >= config.bot_hours].to_numpy()
    return np.isin(users, bots)


def _codes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    values, _ = pd.factorize(column.to_numpy())
    return np.asarray(values, dtype=np.int64)


def _mask(values: pa.ChunkedArray) -> Mask:
    return np.asarray(pc.fill_null(values, False).to_numpy(), dtype=bool)
