"""Events of some users → their moments, vectorized over users and cut-offs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from components.join_history import sessions, user_log
from components.join_history.sessions import IntArray, ragged_ranges
from components.join_history.user_log import UserLog
from core import features
from core.config.moments import MomentConfig
from core.config.splits import SplitConfig

GRID_SPLITS = ("train", "recent", "eval", "test")
NEXT_SPLITS = ("next_train", "next_eval")
SPLITS = GRID_SPLITS + NEXT_SPLITS


class _Moments(NamedTuple):
    """M moments by row numbers of a log; targets are rows[offsets[m]:offsets[m+1]]."""

    users: IntArray  # [M]
    cutoffs: IntArray  # [M]
    ends: IntArray  # [M] row after the last event before the cut-off
    target_rows: IntArray
    target_lengths: IntArray  # [M]


def make_moments(
    events: pa.Table,
    splits: SplitConfig,
    config: MomentConfig,
    context_features: Sequence[str] = (),
) -> dict[str, pa.Table]:
    """Moments per split, each split sorted by user and cut-off.

    Args:
      events: [R] whole logs of some users: user_id, item_id, event, timestamp,
        session_id and the context columns; other columns are ignored.
      splits: cut-offs, horizon, history length, sessions per user.
      config: sessions and sampling.
      context_features: columns whose last known value before the moment it carries.

    Returns:
      `train`, `recent`, `eval`, `test`: users with an event before the cut-off and one
      in [cut-off, cut-off + horizon). `next_train`, `next_eval`: sampled sessions, the
      cut-off being the session's first event; targets of `next_train` lie before T1,
      those of `next_eval` before T2. Columns as `moments_schema` says. A history holds
      the last `max_history` events strictly before the cut-off, oldest first.
    """
    log = user_log.sorted_log(events)
    cutoffs: dict[str, list[int]] = {name: [] for name in GRID_SPLITS}
    for cutoff in (*splits.grid, splits.test_start):
        cutoffs[splits.split_of(cutoff)].append(cutoff)
    found = {
        name: _at_cutoffs(log, sorted(times), splits.horizon_s)
        for name, times in cutoffs.items()
    }
    found |= _next_sessions(log, splits, config)
    context = user_log.last_known(log, context_features)
    return {
        name: _to_table(log, moments, splits.max_history, context)
        for name, moments in found.items()
    }


def moments_schema(context_features: Sequence[str] = ()) -> pa.Schema:
    """Plain columns of every split."""
    texts, times = pa.large_list(pa.large_string()), pa.large_list(pa.int64())
    fields = {
        features.USER_ID: pa.string(),
        features.TIMESTAMP: pa.int64(),
        features.HISTORY_ITEM_IDS: texts,
        features.HISTORY_EVENTS: texts,
        features.HISTORY_TIMESTAMPS: times,
        features.TARGET_ITEM_IDS: texts,
        features.TARGET_EVENTS: texts,
        features.TARGET_TIMESTAMPS: times,
    }
    fields |= {name: pa.string() for name in context_features}
    return pa.schema(fields)


def _at_cutoffs(log: UserLog, cutoffs: Sequence[int], horizon_s: int) -> _Moments:
    num_users = len(log.user_ids)
    users = np.repeat(np.arange(num_users, dtype=np.int64), len(cutoffs))
    times = np.tile(np.asarray(cutoffs, dtype=np.int64), num_users)
    ends = user_log.first_at(log, users, times)
    lengths = user_log.first_at(log, users, times + horizon_s) - ends
    kept = (ends > log.starts[users]) & (lengths > 0)
    users, times, ends, lengths = users[kept], times[kept], ends[kept], lengths[kept]
    return _Moments(users, times, ends, ragged_ranges(ends, lengths), lengths)


def _next_sessions(
    log: UserLog, splits: SplitConfig, config: MomentConfig
) -> dict[str, _Moments]:
    found = sessions.find_sessions(
        log.users, log.timestamps, user_log.session_codes(log), config.session_gap_s
    )
    ends = user_log.first_at(log, found.users, found.starts)
    enough = ends - log.starts[found.users] >= config.min_next_history
    in_train = found.starts < splits.eval_start
    in_eval = ~in_train & (found.starts < splits.test_start)
    hashes = sessions.hash_users(log.user_ids.tolist(), config.seed)
    chosen = {}
    for name, inside, until in (
        ("next_train", in_train, splits.eval_start),
        ("next_eval", in_eval, splits.test_start),
    ):
        eligible = np.flatnonzero(enough & inside)
        drawn = sessions.sample_per_user(
            found.users[eligible],
            found.starts[eligible],
            hashes,
            splits.max_next_moments_per_user,
        )
        chosen[name] = _session_moments(log, found, ends, eligible[drawn], until)
    return chosen


def _session_moments(
    log: UserLog,
    found: sessions.Sessions,
    ends: IntArray,
    chosen: IntArray,
    until: int,
) -> _Moments:
    """Sessions as moments; events at or after `until` are no targets."""
    lengths = np.diff(found.offsets)[chosen]
    rows = found.rows[ragged_ranges(found.offsets[:-1][chosen], lengths)]
    before = log.timestamps[rows] < until
    owner = np.repeat(np.arange(len(chosen)), lengths)
    lengths = np.bincount(owner[before], minlength=len(chosen)).astype(np.int64)
    return _Moments(
        found.users[chosen], found.starts[chosen], ends[chosen], rows[before], lengths
    )


def _to_table(
    log: UserLog,
    moments: _Moments,
    max_history: int,
    context: dict[str, tuple[pa.ChunkedArray, IntArray]],
) -> pa.Table:
    targets = user_log.lists(log.table, moments.target_rows, moments.target_lengths)
    some = moments.ends > log.starts[moments.users]
    columns: list[pa.Array | pa.ChunkedArray] = [
        pa.array(log.user_ids[moments.users], pa.string()),
        pa.array(moments.cutoffs, pa.int64()),
        *user_log.histories(log, moments.users, moments.ends, max_history),
        *targets,
        *user_log.context_columns(context, np.where(some, moments.ends - 1, -1)),
    ]
    return pa.table(columns, schema=moments_schema(tuple(context)))
