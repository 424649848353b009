"""Events with the columns of their items, in an order that does not depend on luck."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from components.clean.winsorize import IntArray
from core import features

EVENT_PRICE = "event_price"  # what this event cost; `price` is the catalogue's
# Columns of the catalogue that every event carries.
ITEM_COLUMNS = (
    features.TITLE,
    features.DESCRIPTION,
    features.BRAND,
    features.CATEGORY,
    features.PRICE,
)


def catalogue_rows(events: pa.Table, items: pa.Table) -> IntArray:
    """[R] row of each event's item in the clean catalogue."""
    ids = items.column(features.ITEM_ID).combine_chunks()
    found = pc.index_in(events.column(features.ITEM_ID), value_set=ids)
    return np.asarray(found.to_numpy(), dtype=np.int64)


def denormalized(
    events: pa.Table, items: pa.Table, rows: IntArray, context: Sequence[str]
) -> pa.Table:
    """Events with their item's columns, sorted by user, time, item and event type."""
    columns = {
        features.USER_ID: events.column(features.USER_ID),
        features.ITEM_ID: events.column(features.ITEM_ID),
        features.EVENT: events.column(features.EVENT),
        features.TIMESTAMP: events.column(features.TIMESTAMP),
        features.QUANTITY: events.column(features.QUANTITY),
        EVENT_PRICE: events.column(features.PRICE),
        features.QUERY: events.column(features.QUERY),
        features.SESSION_ID: events.column(features.SESSION_ID),
        features.POSITION: events.column(features.POSITION),
    }
    columns |= {name: events.column(name) for name in context}
    chosen = pa.array(rows)
    columns |= {name: items.column(name).take(chosen) for name in ITEM_COLUMNS}
    return pa.table(columns).take(pa.array(_order(events, rows)))


def _order(events: pa.Table, rows: IntArray) -> IntArray:
    """By user (bytes), time, item (bytes: the row in the catalogue), event type."""
    users = events.column(features.USER_ID).combine_chunks()
    if isinstance(users, pa.ChunkedArray):
        users = users.chunk(0)
    encoded = users.dictionary_encode()
    ranks = np.empty(len(encoded.dictionary), dtype=np.int64)
    ranks[pc.sort_indices(encoded.dictionary).to_numpy()] = np.arange(len(ranks))
    types, _ = pd.factorize(events.column(features.EVENT).to_numpy(), sort=True)
    times = events.column(features.TIMESTAMP).to_numpy()
    order = np.lexsort((types, rows, times, ranks[encoded.indices.to_numpy()]))
    return order.astype(np.int64)
