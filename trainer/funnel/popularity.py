"""What is bought, lately and ever: per-item statistics as of a cut-off."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainer.funnel.event_log import EventLog

FloatArray = npt.NDArray[np.float32]


def buyers(log: EventLog, days: float | None = None) -> FloatArray:
    """[n] distinct users per item in the last `days` days (ever, without it)."""
    recent = log if days is None else log.where(log.ages <= days)
    pairs = np.unique(recent.users * log.num_items + recent.rows)
    return _count(pairs % log.num_items, log.num_items)


def first_time_buyers(log: EventLog, days: float) -> FloatArray:
    """[n] users whose first event with the item lies in the last `days` days."""
    pairs, first = _first_of_pairs(log)
    ages = (log.as_of - first) / 86_400.0
    return _count(pairs[ages <= days] % log.num_items, log.num_items)


def trend(log: EventLog, days: float) -> FloatArray:
    """[n] (buyers of the last `days` days + 1) / (buyers ever + 10)."""
    return (buyers(log, days) + 1.0) / (buyers(log) + 10.0)


def item_ages(log: EventLog) -> FloatArray:
    """[n] days since the item's first event; 0 for items without events."""
    first = np.full(log.num_items, log.as_of, np.int64)
    np.minimum.at(first, log.rows, log.timestamps)
    return ((log.as_of - first) / 86_400.0).astype(np.float32)


def last_ages(log: EventLog, never: float) -> FloatArray:
    """[n] days since the item's last event; `never` for items without events."""
    last = np.full(log.num_items, np.iinfo(np.int64).min, np.int64)
    np.maximum.at(last, log.rows, log.timestamps)
    with np.errstate(over="ignore"):
        ages = (log.as_of - np.maximum(last, 0)) / 86_400.0
    return np.where(last < 0, never, np.minimum(ages, never)).astype(np.float32)


def repeat_statistics(log: EventLog, visit_s: int) -> tuple[FloatArray, FloatArray]:
    """Repeat rate and mean repurchase gap of each item.

    Returns:
      rate: [n] (users with two visits or more + 1) / (users + 10).
      gap: [n] mean days between a user's successive visits with the item, drawn to
        the mean over all items with the weight of five gaps; 0 where no item repeats.
    """
    n = log.num_items
    visits = log.visits(visit_s)
    order = np.lexsort((log.timestamps, log.rows, log.users))
    users, rows = log.users[order], log.rows[order]
    visits, stamps = visits[order], log.timestamps[order]
    same = (users[1:] == users[:-1]) & (rows[1:] == rows[:-1])
    again = same & (visits[1:] != visits[:-1])
    gaps = (stamps[1:] - stamps[:-1])[again] / 86_400.0
    gap_rows = rows[1:][again]
    counts = _count(gap_rows, n)
    sums = np.bincount(gap_rows, gaps, minlength=n)
    mean = gaps.mean() if len(gaps) else 0.0
    gap = (sums + 5.0 * mean) / (counts + 5.0)
    pairs = np.unique(users[1:][again] * n + gap_rows)
    repeaters = _count(pairs % n, n)
    rate = (repeaters + 1.0) / (buyers(log) + 10.0)
    return rate.astype(np.float32), gap.astype(np.float32)


def transition_rates(log: EventLog, days: float) -> tuple[FloatArray, FloatArray]:
    """How owners and others took to each item in the last `days` days.

    Returns:
      again: [n] share of the owners (bought before the window) active in the window
        who bought again, drawn to the mean share with the weight of ten owners.
      anew: [n] share of the other active users who bought it for the first time.
    """
    n = log.num_items
    recent = log.ages <= days
    pairs = log.users * n + log.rows
    before, after = np.unique(pairs[~recent]), np.unique(pairs[recent])
    active = np.unique(log.users[recent])
    owned = before[np.isin(before // n, active)]
    again = np.intersect1d(owned, after, assume_unique=True)
    fresh = np.setdiff1d(after, before, assume_unique=True)
    mean = len(again) / max(len(owned), 1)
    owners = _count(owned % n, n)
    again_rate = (_count(again % n, n) + 10.0 * mean) / (owners + 10.0)
    others = np.maximum(len(active) - owners, 0.0)
    return (
        again_rate.astype(np.float32),
        (_count(fresh % n, n) / (others + 10.0)).astype(np.float32),
    )


def _first_of_pairs(log: EventLog) -> tuple[npt.NDArray[np.int64], ...]:
    keys = log.users * log.num_items + log.rows
    order = np.lexsort((log.timestamps, keys))
    pairs, first = np.unique(keys[order], return_index=True)
    return pairs, log.timestamps[order][first]


def _count(rows: npt.NDArray[np.int64], n: int) -> FloatArray:
    return np.bincount(rows, minlength=n).astype(np.float32)
