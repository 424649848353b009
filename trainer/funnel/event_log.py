"""Events before a cut-off as integer arrays: what every item table is counted from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from core import features
from core.config import ShopConfig
from core.errors import InputDataError

IntArray = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class EventLog:
    """E events strictly before `as_of`, in no particular order."""

    as_of: int
    num_items: int
    num_users: int
    users: IntArray  # [E] 0 .. num_users - 1
    rows: IntArray  # [E] catalogue rows
    kinds: IntArray  # [E] index into ShopConfig.event_types
    timestamps: IntArray  # [E] seconds UTC

    @property
    def ages(self) -> npt.NDArray[np.float64]:
        """[E] days between the event and the cut-off, > 0."""
        return (self.as_of - self.timestamps) / float(features.SECONDS_PER_DAY)

    def of_kind(self, kind: int) -> EventLog:
        """Only the events of one type."""
        return self.where(self.kinds == kind)

    def before(self, as_of: int) -> EventLog:
        """The events with timestamp < `as_of`, users numbered anew by appearance."""
        early = self.where(self.timestamps < as_of)
        users, names = pd.factorize(early.users)
        return dataclasses.replace(
            early, as_of=as_of, num_users=len(names), users=users.astype(np.int64)
        )

    def where(self, mask: npt.NDArray[np.bool_]) -> EventLog:
        return dataclasses.replace(
            self,
            users=self.users[mask],
            rows=self.rows[mask],
            kinds=self.kinds[mask],
            timestamps=self.timestamps[mask],
        )

    def visits(self, visit_s: int) -> IntArray:
        """[E] number of the (user, time bucket) that the event belongs to."""
        buckets = self.timestamps // visit_s
        span = int(buckets.max(initial=0)) + 1
        _, visits = np.unique(self.users * span + buckets, return_inverse=True)
        return visits.astype(np.int64)


def event_log(
    items: pa.Table, events: pa.Table, *, as_of: int, shop: ShopConfig
) -> EventLog:
    """Encodes the events of known items and types with timestamp < `as_of`.

    Raises:
      InputDataError: an item id stands in the catalogue twice.
    """
    return encode_events(items, [events], shop).before(as_of)


def encode_events(
    items: pa.Table, parts: Iterable[pa.Table], shop: ShopConfig
) -> EventLog:
    """Encodes the events of known items and types, of all times, part by part.

    Args:
      items: the catalogue; its order defines the rows.
      parts: events, as `build_item_tables` takes them; one is held at a time.
      shop: event types.

    Raises:
      InputDataError: an item id stands in the catalogue twice.
    """
    index = pd.Index(_objects(items.column(features.ITEM_ID)))
    if not index.is_unique:
        twice = index[index.duplicated()][0]
        raise InputDataError(
            f"`items.item_id` must be unique. Received twice: {twice}."
        )
    types, numbers = pd.Index(shop.event_types), dict[str, int]()
    columns: list[tuple[IntArray, ...]] = [(np.zeros(0, np.int64),) * 4]
    for events in parts:
        kinds = types.get_indexer(_objects(events.column(features.EVENT)))
        rows = index.get_indexer(_objects(events.column(features.ITEM_ID)))
        keep = np.flatnonzero((kinds >= 0) & (rows >= 0))
        codes, names = pd.factorize(_objects(events.column(features.USER_ID))[keep])
        known = [numbers.setdefault(name, len(numbers)) for name in names]
        stamps = events.column(features.TIMESTAMP).to_numpy()
        found = (np.asarray(known, np.int64)[codes], rows[keep], kinds[keep])
        columns.append(tuple(c.astype(np.int64) for c in (*found, stamps[keep])))
    users, rows, kinds, stamps = (
        np.concatenate(parts) for parts in zip(*columns, strict=True)
    )
    return EventLog(
        as_of=int(stamps.max(initial=0)) + 1,
        num_items=len(index),
        num_users=len(numbers),
        users=users,
        rows=rows,
        kinds=kinds,
        timestamps=stamps,
    )


def _objects(values: object) -> npt.NDArray[np.object_]:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        values = values.to_pandas().to_numpy()
    return np.asarray(values, dtype=object)
