"""Events of some users → the search pages that they saw, with what they did there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from components.join_history import user_log
from components.join_history.sessions import HashArray, IntArray, hash_users, mix
from components.join_history.user_log import UserLog
from core import features
from core.config.searches import SearchMomentConfig
from core.config.splits import SplitConfig
from trainer.data.columns import integers, texts
from trainer.search.impressions import UNKNOWN_POSITION, find_pages, page_items

SPLITS = ("train", "eval", "test")
_LAST_TIME = np.iinfo(np.int64).max


class _Searches(NamedTuple):
    """P pages by user, start, query and session, and the E events that carry them."""

    log: UserLog
    rows: IntArray  # [E] log rows of events with a query
    pages: IntArray  # [E] page of each
    first_rows: IntArray  # [P] log row of each page's first event
    starts: IntArray  # [P] seconds UTC
    keys: HashArray  # [P] the smallest are kept


def make_searches(
    events: pa.Table,
    splits: SplitConfig,
    config: SearchMomentConfig,
    event_types: Sequence[str],
    context_features: Sequence[str] = (),
    limits: Mapping[str, int] | None = None,
) -> dict[str, pa.Table]:
    """Search pages per split, each split sorted by user, time and query.

    A page is what one user saw for one query in one session; without a session id, in
    one stretch without a gap of more than `page_gap_s`. Its time is its first event's,
    and its context what was known with that event. What it showed is every item with an
    event on it: in a shop that logs clicks without views, what was touched.

    Args:
      events: [R] whole logs of some users: user_id, item_id, event, timestamp, the
        context columns and, where there are any, query, session_id and position.
      splits: T1, T2, the grid of cut-offs, history length.
      config: how pages end, how many are kept.
      event_types: the shop's; each but `view` gives a list of 0 and 1.
      context_features: the shop's context columns.
      limits: split → largest key that is kept (`limits_of` over all users); from
        these events alone where None.

    Returns:
      `train`: pages before T1, of which only events before T1 count; `eval`: in
      [T1, T2), likewise before T2; `test`: from T2 on. Columns as `searches_schema`
      says. A history holds the last `max_history` events strictly before the page.
      `cutoff` is the newest cut-off at or before the page; older pages are left out.
    """
    searches = _find(events, config)
    if limits is None:
        limits = limits_of([_keys(searches, splits, config)], config)
    known = user_log.last_known(searches.log, context_features)
    made = {}
    for split, numbers in _by_split(searches, splits).items():
        kept = numbers[searches.keys[numbers] <= np.uint64(limits[split])]
        made[split] = _to_table(searches, kept, split, splits, event_types, known)
    return made


def page_keys(
    events: pa.Table, splits: SplitConfig, config: SearchMomentConfig
) -> dict[str, HashArray]:
    """Split → the `max_pages_per_split` smallest keys of these users' pages."""
    return _keys(_find(events, config), splits, config)


def limits_of(
    keys: Sequence[Mapping[str, HashArray]], config: SearchMomentConfig
) -> dict[str, int]:
    """Split → the largest key that is kept, given the keys of all groups of users."""
    kept = smallest_keys(keys, config)
    return {split: int(kept[split][-1]) if len(kept[split]) else 0 for split in SPLITS}


def smallest_keys(
    keys: Sequence[Mapping[str, HashArray]], config: SearchMomentConfig
) -> dict[str, HashArray]:
    """Split → the `max_pages_per_split` smallest of all keys, ascending."""
    smallest = {}
    for split in SPLITS:
        parts = [group[split] for group in keys if split in group]
        every = np.concatenate(parts) if parts else np.zeros(0, np.uint64)
        smallest[split] = np.sort(every)[: config.max_pages_per_split]
    return smallest


def searches_schema(
    event_types: Sequence[str], context_features: Sequence[str] = ()
) -> pa.Schema:
    """Plain columns of every split."""
    words, numbers = pa.large_list(pa.large_string()), pa.large_list(pa.int64())
    fields = {
        features.USER_ID: pa.string(),
        features.TIMESTAMP: pa.int64(),
        features.CUTOFF: pa.int64(),
        features.QUERY: pa.string(),
        features.SESSION_ID: pa.string(),
        features.HISTORY_ITEM_IDS: words,
        features.HISTORY_EVENTS: words,
        features.HISTORY_TIMESTAMPS: numbers,
        features.SHOWN_ITEM_IDS: words,
        features.SHOWN_POSITIONS: numbers,
    }
    fields |= {name: numbers for _, name in _shown_events(event_types)}
    fields |= {name: pa.string() for name in context_features}
    return pa.schema(fields)


def _shown_events(event_types: Sequence[str]) -> list[tuple[int, str]]:
    """Event type number and list column of what the shop logs beyond views."""
    return [
        (kind, features.SHOWN_EVENTS[event])
        for kind, event in enumerate(event_types)
        if event in features.SHOWN_EVENTS
    ]


def _find(events: pa.Table, config: SearchMomentConfig) -> _Searches:
    log = user_log.sorted_log(events)
    typed = texts(log.table, features.QUERY)
    rows = np.flatnonzero([query.strip() != "" for query in typed])
    queries, names = pd.factorize(typed[rows], sort=True)
    labels = texts(log.table, features.SESSION_ID)[rows]
    sessions, session_names = pd.factorize(labels, sort=True)
    pages = find_pages(
        log.users[rows],
        np.where(labels == "", -1, sessions).astype(np.int64),
        queries.astype(np.int64),
        log.timestamps[rows],
        config.page_gap_s,
    )
    first = pages.first_rows
    first_rows = rows[first]
    hashed = hash_users(log.user_ids.tolist(), config.seed)[log.users[first_rows]]
    for codes, words in ((queries, names), (sessions, session_names)):
        hashed = mix(hashed ^ hash_users(list(words), config.seed)[codes[first]])
    starts = log.timestamps[first_rows]
    return _Searches(
        log=log,
        rows=rows,
        pages=pages.numbers,
        first_rows=first_rows,
        starts=starts,
        keys=mix(hashed ^ mix(starts.astype(np.uint64))),
    )


def _by_split(searches: _Searches, splits: SplitConfig) -> dict[str, IntArray]:
    """Split → its pages, ascending."""
    starts = searches.starts
    begins = (min(splits.grid), splits.eval_start, splits.test_start, _LAST_TIME)
    return {
        name: np.flatnonzero((starts >= low) & (starts < high))
        for name, low, high in zip(SPLITS, begins[:-1], begins[1:], strict=True)
    }


def _keys(
    searches: _Searches, splits: SplitConfig, config: SearchMomentConfig
) -> dict[str, HashArray]:
    return {
        split: np.sort(searches.keys[numbers])[: config.max_pages_per_split]
        for split, numbers in _by_split(searches, splits).items()
    }


def _to_table(
    searches: _Searches,
    numbers: IntArray,
    split: str,
    splits: SplitConfig,
    event_types: Sequence[str],
    known: dict[str, tuple[pa.ChunkedArray, IntArray]],
) -> pa.Table:
    log, first_rows = searches.log, searches.first_rows[numbers]
    users, starts = log.users[first_rows], searches.starts[numbers]
    ends = user_log.first_at(log, users, starts)
    until = {"train": splits.eval_start, "eval": splits.test_start}
    cutoffs = np.asarray(sorted({*splits.grid, splits.test_start}), dtype=np.int64)
    found = np.searchsorted(cutoffs, starts, side="right") - 1
    queries = texts(log.table, features.QUERY)[first_rows]
    sessions = texts(log.table, features.SESSION_ID)[first_rows]
    columns: list[pa.Array | pa.ChunkedArray] = [
        pa.array(log.user_ids[users], pa.string()),
        pa.array(starts, pa.int64()),
        pa.array(cutoffs[found], pa.int64()),
        pa.array(queries, pa.string()),
        pa.array(sessions, pa.string(), mask=sessions == ""),
        *user_log.histories(log, users, ends, splits.max_history),
        *_shown(searches, numbers, until.get(split, _LAST_TIME), event_types),
        *user_log.context_columns(known, first_rows),
    ]
    return pa.table(columns, schema=searches_schema(event_types, tuple(known)))


def _shown(
    searches: _Searches, numbers: IntArray, until: int, event_types: Sequence[str]
) -> list[pa.Array]:
    """Items, positions and what was done, lists of the pages `numbers`, by position."""
    renumbered = np.full(len(searches.starts), -1, dtype=np.int64)
    renumbered[numbers] = np.arange(len(numbers))
    pages = renumbered[searches.pages]
    inside = (pages >= 0) & (searches.log.timestamps[searches.rows] < until)
    rows = searches.rows[inside]
    table = searches.log.table.take(pa.array(rows))
    items, names = pd.factorize(texts(table, features.ITEM_ID), sort=True)
    kinds = pd.Index(event_types).get_indexer(texts(table, features.EVENT))
    shown = page_items(
        pages[inside],
        items.astype(np.int64),
        integers(table, features.POSITION, UNKNOWN_POSITION),
        kinds.astype(np.int64),
        searches.log.timestamps[rows],
        len(event_types),
    )
    lengths = np.bincount(shown.pages, minlength=len(numbers))
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int64())
    values = [
        pa.array(np.asarray(names, dtype=object)[shown.items], pa.large_string()),
        pa.array(shown.positions, pa.int64()),
    ]
    for kind, _ in _shown_events(event_types):
        values.append(pa.array(shown.events[:, kind].astype(np.int64), pa.int64()))
    return [pa.LargeListArray.from_arrays(offsets, each) for each in values]
