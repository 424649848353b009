"""The log of some users, sorted: what moments and search pages are cut from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from components.join_history.sessions import IntArray, ragged_ranges
from core import features

_KEY_BITS = 40  # timestamps up to the year 36,000


class UserLog(NamedTuple):
    """Events sorted by user, time, then as they came; users are codes 0 .. U - 1."""

    table: pa.Table  # [R] sorted
    user_ids: npt.NDArray[np.object_]  # [U]
    users: IntArray  # [R]
    timestamps: IntArray  # [R]
    keys: IntArray  # [R] user and time in one ascending number
    starts: IntArray  # [U] first row of each user


def sorted_log(events: pa.Table) -> UserLog:
    """Sorts the whole logs of some users.

    Args:
      events: [R] user_id and timestamp; other columns come along.
    """
    codes, user_ids = pd.factorize(events.column(features.USER_ID).to_numpy())
    ranks = np.empty(len(user_ids), dtype=np.int64)
    ranks[np.argsort(user_ids)] = np.arange(len(user_ids))
    users = ranks[codes]
    timestamps = events.column(features.TIMESTAMP).to_numpy().astype(np.int64)
    order = np.lexsort((timestamps, users))  # stable: ties stay as they came
    users, timestamps = users[order], timestamps[order]
    return UserLog(
        table=events.take(pa.array(order)),
        user_ids=np.sort(user_ids),
        users=users,
        timestamps=timestamps,
        keys=(users << _KEY_BITS) + timestamps,
        starts=np.searchsorted(users, np.arange(len(user_ids))).astype(np.int64),
    )


def first_at(log: UserLog, users: IntArray, times: IntArray) -> IntArray:
    """Row of each user's first event at or after the time; the next user's if none."""
    return np.searchsorted(log.keys, (users << _KEY_BITS) + times).astype(np.int64)


def session_codes(log: UserLog) -> IntArray:
    """[R] number of each row's session id, -1 where the shop gave none."""
    if features.SESSION_ID not in log.table.column_names:
        return np.full(len(log.users), -1, dtype=np.int64)
    names = log.table.column(features.SESSION_ID).to_numpy()
    names = names.copy()
    names[names == ""] = None
    return np.asarray(pd.factorize(names)[0], dtype=np.int64)


def last_known(
    log: UserLog, context_features: Sequence[str]
) -> dict[str, tuple[pa.ChunkedArray, IntArray]]:
    """Column → (its values, [R] row of the last non-null one up to each row or -1)."""
    known = {}
    for name in context_features:
        column = log.table.column(name)
        rows = np.arange(len(log.users), dtype=np.int64)
        present = column.is_valid().to_numpy()
        last = np.maximum.accumulate(np.where(present, rows, -1))
        last[last < log.starts[log.users]] = -1
        known[name] = (column, last)
    return known


def context_columns(
    known: dict[str, tuple[pa.ChunkedArray, IntArray]], rows: IntArray
) -> list[pa.ChunkedArray]:
    """What was known up to log rows [M] (-1: nothing), one column per context name."""
    columns = []
    for values, last in known.values():
        found = np.where(rows >= 0, last[rows] if len(last) else -1, -1)
        columns.append(values.take(pa.array(found, mask=found < 0)).cast(pa.string()))
    return columns


def histories(
    log: UserLog, users: IntArray, ends: IntArray, max_history: int
) -> list[pa.Array]:
    """Lists of the last `max_history` events of users [M] before log rows `ends`."""
    begins = np.maximum(log.starts[users], ends - max_history)
    return lists(log.table, ragged_ranges(begins, ends - begins), ends - begins)


def lists(table: pa.Table, rows: IntArray, lengths: IntArray) -> list[pa.Array]:
    """Item ids, event types and times of ragged rows, as large lists."""
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int64())
    chosen = pa.array(rows)
    arrays = []
    for name, kind in (
        (features.ITEM_ID, pa.large_string()),
        (features.EVENT, pa.large_string()),
        (features.TIMESTAMP, pa.int64()),
    ):
        column = table.column(name).cast(kind).take(chosen).combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = column.chunk(0) if column.num_chunks else pa.array([], kind)
        arrays.append(pa.LargeListArray.from_arrays(offsets, column))
    return arrays
