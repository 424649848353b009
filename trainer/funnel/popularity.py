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
    ages = (log.as_of - np.maximum(last, 0)) / 86_400.0
    return np.where(last < 0, never, np.minimum(ages, never)).astype(np.float32)


def _first_of_pairs(log: EventLog) -> tuple[npt.NDArray[np.int64], ...]:
    keys = log.users * log.num_items + log.rows
    order = np.lexsort((log.timestamps, keys))
    pairs, first = np.unique(keys[order], return_index=True)
    return pairs, log.timestamps[order][first]


def _count(rows: npt.NDArray[np.int64], n: int) -> FloatArray:
    return np.bincount(rows, minlength=n).astype(np.float32)
