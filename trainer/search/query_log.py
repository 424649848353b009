"""Events that carry a query as integer arrays: what search statistics count."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from core import features
from core.config import ShopConfig
from trainer.data.columns import integers, texts
from trainer.search.analyzer import Analyzer
from trainer.search.impressions import (
    UNKNOWN_POSITION,
    IntArray,
    PageItems,
    find_pages,
    page_items,
)
from trainer.search.query_terms import joined_terms_of


@dataclasses.dataclass(frozen=True)
class QueryLog:
    """E events of known items that carry a query, of all times."""

    num_items: int
    event_types: tuple[str, ...]
    texts: tuple[str, ...]  # normalized queries, sorted; none is empty
    users: IntArray  # [E] codes
    sessions: IntArray  # [E] codes, -1 unknown
    raw_queries: IntArray  # [E] codes of the queries as typed
    text_of: IntArray  # [raw queries] index into `texts`, -1 where no term is left
    rows: IntArray  # [E] catalogue rows
    kinds: IntArray  # [E] index into event_types
    timestamps: IntArray  # [E] seconds UTC
    positions: IntArray  # [E] slot, -1 unknown


@dataclasses.dataclass(frozen=True)
class QueryImpressions:
    """N items shown on search pages; a page shows an item once."""

    queries: IntArray  # [N] index into QueryLog.texts, -1 where no term is left
    rows: IntArray  # [N] catalogue rows
    positions: IntArray  # [N] slot, -1 unknown
    clicked: npt.NDArray[np.bool_]  # [N] clicked, put in the cart or bought


def query_log(
    items: pa.Table, events: pa.Table, shop: ShopConfig, analyzer: Analyzer
) -> QueryLog:
    """Encodes the events that carry a query; none where the shop has no such column.

    Args:
      items: item_id; the order defines the catalogue rows.
      events: user_id, item_id, event, timestamp; query, session_id and position where
        the shop has them.
      shop: its event types.
      analyzer: makes one query of its spellings.
    """
    index = pd.Index(texts(items, features.ITEM_ID))
    queries = texts(events, features.QUERY)
    kept = np.flatnonzero(queries != "")
    found = index.get_indexer(texts(events, features.ITEM_ID)[kept])
    kept, rows = kept[found >= 0], found[found >= 0]
    events = events.take(pa.array(kept))
    raw, names = pd.factorize(queries[kept], sort=True)
    normal = np.asarray(joined_terms_of(analyzer, list(names)), dtype=object)
    known = sorted({text for text in normal if text})
    sessions = texts(events, features.SESSION_ID)
    codes = np.where(sessions == "", -1, pd.factorize(sessions, sort=True)[0])
    kinds = pd.Index(shop.event_types).get_indexer(texts(events, features.EVENT))
    return QueryLog(
        num_items=len(index),
        event_types=shop.event_types,
        texts=tuple(known),
        users=_integers(pd.factorize(texts(events, features.USER_ID))[0]),
        sessions=_integers(codes),
        raw_queries=_integers(raw),
        text_of=_integers(pd.Index(known, dtype=object).get_indexer(normal)),
        rows=_integers(rows),
        kinds=_integers(kinds),
        timestamps=integers(events, features.TIMESTAMP, 0),
        positions=integers(events, features.POSITION, UNKNOWN_POSITION),
    )


def impressions_before(log: QueryLog, as_of: int, page_gap_s: int) -> QueryImpressions:
    """What search pages showed, from the events with timestamp < `as_of` only."""
    early = np.flatnonzero((log.timestamps < as_of) & (log.kinds >= 0))
    raw, times = log.raw_queries[early], log.timestamps[early]
    pages = find_pages(log.users[early], log.sessions[early], raw, times, page_gap_s)
    shown: PageItems = page_items(
        pages.numbers,
        log.rows[early],
        log.positions[early],
        log.kinds[early],
        times,
        len(log.event_types),
    )
    touches = [name != features.VIEW for name in log.event_types]
    return QueryImpressions(
        queries=log.text_of[raw[pages.first_rows]][shown.pages],
        rows=shown.items,
        positions=shown.positions,
        clicked=shown.events[:, touches].any(axis=1),
    )


def _integers(values: object) -> IntArray:
    return np.asarray(values, dtype=np.int64)
