"""Tells sessions apart and samples some of each user, one user at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
HashArray = npt.NDArray[np.uint64]


class Sessions(NamedTuple):
    """S sessions, by user and start; rows lists each one's events, by session."""

    users: IntArray  # [S]
    starts: IntArray  # [S] timestamp of the first event
    rows: IntArray  # [R] row numbers of events, sessions one after the other
    offsets: IntArray  # [S + 1] session s owns rows[offsets[s] : offsets[s + 1]]


def find_sessions(
    users: IntArray, timestamps: IntArray, session_ids: IntArray, gap_s: int
) -> Sessions:
    """Groups events that are sorted by user and time into sessions.

    Args:
      users: [R] user codes, ascending.
      timestamps: [R] seconds UTC, ascending within a user.
      session_ids: [R] session codes, -1 where the shop gave none.
      gap_s: events without a session id belong together while neighbours are at most
        this far apart.
    """
    groups = session_ids.copy()
    unnamed = np.flatnonzero(session_ids < 0)
    if len(unnamed):
        new_user = np.diff(users[unnamed], prepend=-1) != 0
        apart = np.diff(timestamps[unnamed], prepend=0) > gap_s
        numbers = np.cumsum(new_user | apart)
        groups[unnamed] = numbers + session_ids.max(initial=0) + 1
    rows = np.lexsort((timestamps, groups, users)).astype(np.int64)
    change = np.diff(users[rows], prepend=-1) != 0
    change |= np.diff(groups[rows], prepend=-1) != 0
    first = np.flatnonzero(change)
    offsets = np.append(first, len(rows)).astype(np.int64)
    return _by_start(
        Sessions(users[rows[first]], timestamps[rows[first]], rows, offsets)
    )


def hash_users(user_ids: Sequence[str], seed: int) -> HashArray:
    """[U] uint64 per user id, the same on every machine and in every bucket."""
    key = seed.to_bytes(8, "little", signed=True)
    digests = b"".join(
        hashlib.blake2b(user.encode(), digest_size=8, key=key).digest()
        for user in user_ids
    )
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def sample_per_user(
    users: IntArray, starts: IntArray, user_hashes: HashArray, limit: int
) -> IntArray:
    """Numbers of at most `limit` sessions per user, ascending.

    The choice depends on the user's id, the session's start and the seed only: other
    users, the number of buckets and later sessions' contents do not change the order
    in which a user's sessions are drawn.

    Args:
      users: [S] user codes.
      starts: [S] seconds UTC.
      user_hashes: [U] hashes of the user ids.
      limit: sessions kept per user.
    """
    keys = mix(user_hashes[users] ^ mix(starts.astype(np.uint64)))
    order = np.lexsort((starts, keys, users))
    sorted_users = users[order]
    first = np.searchsorted(sorted_users, sorted_users, side="left")
    rank = np.arange(len(order)) - first
    return np.sort(order[rank < limit]).astype(np.int64)


def _by_start(sessions: Sessions) -> Sessions:
    order = np.lexsort((sessions.starts, sessions.users))
    lengths = np.diff(sessions.offsets)[order]
    rows = sessions.rows[ragged_ranges(sessions.offsets[:-1][order], lengths)]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Sessions(sessions.users[order], sessions.starts[order], rows, offsets)


def ragged_ranges(starts: IntArray, lengths: IntArray) -> IntArray:
    """[sum(lengths)] starts[0], starts[0] + 1, … for each pair, one after the other."""
    total = int(lengths.sum())
    before = np.cumsum(lengths) - lengths
    return np.arange(total, dtype=np.int64) + np.repeat(starts - before, lengths)


def mix(values: HashArray) -> HashArray:
    """splitmix64's finalizer (Steele et al., 2014): spreads every bit over all."""
    with np.errstate(over="ignore"):
        values = values + np.uint64(0x9E3779B97F4A7C15)
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return values ^ (values >> np.uint64(31))
