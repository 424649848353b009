"""Searches to measure: judged queries, and searches that people made."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from components.evaluate_funnel.test_set import IntArray
from core import features
from core.metrics import Grades

CLICKED, BOUGHT, GRADED = "clicked", "bought", "graded"
EVENT_COLUMNS = (
    features.USER_ID,
    features.ITEM_ID,
    features.EVENT,
    features.TIMESTAMP,
    features.QUERY,
)


@dataclasses.dataclass(frozen=True)
class Searches:
    """M searches over a catalogue of n items.

    Attributes:
      moments: M rows of user, time, history, context and `query`; of a judged query
        nobody's.
      truths: name → what was right: `graded`, or `clicked` and `bought`.
    """

    moments: pa.Table
    truths: dict[str, Grades]

    @property
    def queries(self) -> list[str]:
        """[M] the texts."""
        return list(self.moments.column(features.QUERY).to_pylist())


def judged_searches(judgments: pa.Table, item_ids: Sequence[str]) -> Searches:
    """One search per judged query in alphabetical order, asked by nobody.

    Args:
      judgments: query, item_id, grade; rows of items that are not in the catalogue (as
        Clean may have removed some) are left out, queries without a grade above 0 too.
      item_ids: [n] the catalogue.
    """
    frame = judgments.select([features.QUERY, features.ITEM_ID, features.GRADE])
    rows = frame.to_pandas()
    rows["row"] = pd.Index(item_ids).get_indexer(rows[features.ITEM_ID])
    rows = rows[rows["row"] >= 0]
    useful = rows[rows[features.GRADE] > 0][features.QUERY].unique()
    rows = rows[rows[features.QUERY].isin(useful)]
    codes, queries = pd.factorize(rows[features.QUERY], sort=True)
    grades = Grades.from_pairs(
        codes, rows["row"], rows[features.GRADE], len(queries), len(item_ids)
    )
    nobody = [""] * len(queries)
    empty: list[list[str]] = [[] for _ in queries]
    moments = pa.table(
        {
            features.USER_ID: pa.array(nobody, pa.string()),
            features.TIMESTAMP: pa.array([0] * len(queries), pa.int64()),
            features.HISTORY_ITEM_IDS: pa.array(empty, pa.list_(pa.string())),
            features.HISTORY_EVENTS: pa.array(empty, pa.list_(pa.string())),
            features.HISTORY_TIMESTAMPS: pa.array(empty, pa.list_(pa.int64())),
            features.QUERY: pa.array(list(queries), pa.string()),
        }
    )
    return Searches(moments, {GRADED: grades})


def logged_searches(
    past: pa.Table,
    test: pa.Table,
    item_ids: Sequence[str],
    *,
    context: Sequence[str] = (),
    max_history: int = 200,
    max_searches: int | None = None,
    seed: int = 0,
    used_only: bool = True,
) -> Searches:
    """The searches of the test period.

    A search is what one user saw for one query in one session (without session ids: at
    one time). Its time is that of its first event; its history ends strictly before.

    Args:
      past: events before the test period.
      test: events of the test period.
      item_ids: [n] the catalogue.
      context: context columns of the events.
      max_history: newest events kept.
      max_searches: more are sampled down, deterministically.
      seed: of that sample.
      used_only: leave out those on which nobody clicked or bought anything.
    """
    log = pd.concat([_frame(past, context), _frame(test, context)], ignore_index=True)
    log["row"] = pd.Index(item_ids).get_indexer(log[features.ITEM_ID])
    is_test = np.arange(len(log)) >= past.num_rows
    typed = log[is_test & (log[features.QUERY] != "") & (log["row"] >= 0)]
    keys = [features.USER_ID, features.SESSION_ID, features.QUERY]
    used = typed[typed[features.EVENT] != features.VIEW] if used_only else typed
    useful = used[keys].drop_duplicates().sort_values(keys, ignore_index=True)
    if max_searches is not None and len(useful) > max_searches:
        useful = useful.sample(max_searches, random_state=seed).sort_index()
    useful["search"] = np.arange(len(useful))
    typed = typed.merge(useful, on=keys)
    typed = typed.sort_values(["search", features.TIMESTAMP], kind="stable")
    first = typed.drop_duplicates("search").set_index("search").sort_index()
    columns = {
        features.USER_ID: pa.array(first[features.USER_ID], pa.string()),
        features.TIMESTAMP: pa.array(first[features.TIMESTAMP], pa.int64()),
        features.QUERY: pa.array(first[features.QUERY], pa.string()),
        **{name: pa.array(first[name], pa.string()) for name in context},
        **_histories(log, first, max_history),
    }
    return Searches(pa.table(columns), _truths(typed, len(first), len(item_ids)))


def search_counts(past: pa.Table) -> dict[str, int]:
    """Searches per query in events before the test period."""
    log = _frame(past, ())
    typed = log[log[features.QUERY] != ""]
    keys = [features.USER_ID, features.SESSION_ID, features.QUERY]
    counts = typed[keys].drop_duplicates()[features.QUERY].value_counts()
    return {str(query): int(count) for query, count in counts.items()}


def _truths(
    typed: pd.DataFrame, num_searches: int, num_items: int
) -> dict[str, Grades]:
    """`clicked`: any event but a view; `bought`: purchases."""
    kinds = {
        CLICKED: typed[features.EVENT] != features.VIEW,
        BOUGHT: typed[features.EVENT] == features.PURCHASE,
    }
    return {
        name: Grades.from_pairs(
            typed["search"][chosen],
            typed["row"][chosen],
            np.ones(int(chosen.sum())),
            num_searches,
            num_items,
        )
        for name, chosen in kinds.items()
    }


def _frame(events: pa.Table, context: Sequence[str]) -> pd.DataFrame:
    """The events' columns that count, text never null."""
    held = [n for n in (*EVENT_COLUMNS, *context) if n in events.column_names]
    frame = events.select(held).to_pandas()
    for name in (features.QUERY, *context):
        frame[name] = frame[name].fillna("") if name in frame else ""
    frame[features.SESSION_ID] = _sessions(events, frame)
    return frame


def _sessions(events: pa.Table, frame: pd.DataFrame) -> npt.NDArray[np.object_]:
    """[R] session ids; the event's time where there is none."""
    times = frame[features.TIMESTAMP].astype(str).to_numpy(object)
    if features.SESSION_ID not in events.column_names:
        return times
    known = events.column(features.SESSION_ID).to_pandas()
    return np.where(known.notna(), known, times).astype(object)


def _histories(
    log: pd.DataFrame, searches: pd.DataFrame, max_history: int
) -> dict[str, pa.Array]:
    """History columns: the newest events of each search's user strictly before it."""
    ordered = log.sort_values([features.USER_ID, features.TIMESTAMP], kind="stable")
    codes, users = pd.factorize(ordered[features.USER_ID], sort=True)
    times = ordered[features.TIMESTAMP].to_numpy(np.int64)
    span = int(times.max(initial=0)) + 1
    keys = codes.astype(np.int64) * span + times
    who = pd.Index(users).get_indexer(searches[features.USER_ID]).astype(np.int64)
    when = searches[features.TIMESTAMP].to_numpy(np.int64)
    stops = np.searchsorted(keys, who * span + when, side="left")
    starts = np.maximum(np.searchsorted(keys, who * span), stops - max_history)
    offsets = pa.array(np.concatenate([[0], np.cumsum(stops - starts)]), pa.int32())
    rows = _ranges(starts, stops)
    sources = {
        features.HISTORY_ITEM_IDS: (features.ITEM_ID, pa.string()),
        features.HISTORY_EVENTS: (features.EVENT, pa.string()),
        features.HISTORY_TIMESTAMPS: (features.TIMESTAMP, pa.int64()),
    }
    return {
        name: pa.ListArray.from_arrays(
            offsets, pa.array(ordered[source].to_numpy()[rows], kind)
        )
        for name, (source, kind) in sources.items()
    }


def _ranges(starts: IntArray, stops: IntArray) -> IntArray:
    """start .. stop - 1 of each pair, one after the other."""
    sizes = stops - starts
    before = np.cumsum(sizes) - sizes
    return np.arange(int(sizes.sum())) + np.repeat(starts - before, sizes)
