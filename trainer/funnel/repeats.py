"""How items are bought again: as of a cut-off, drawn to what their category does."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trainer.funnel import popularity
from trainer.funnel.event_log import EventLog

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]

# How much what is known of the others weighs against an item's own figures: as so many
# gaps, as so many users.
_GAPS, _USERS = 5.0, 10.0


class Habits(NamedTuple):
    """What is bought again, and after how long."""

    rate: FloatArray  # [n] share of the users of an item with two visits or more
    gap: FloatArray  # [n] mean days between a user's visits; 0 where no item repeats


def habits(log: EventLog, visit_s: int, categories: IntArray | None = None) -> Habits:
    """Repeat rate and mean gap of each item.

    Few items are bought again often enough to tell their own rhythm, so an item's
    figures are drawn to those of its category, and these to those of all items:

        gap = (sum of the item's gaps + 5 g) / (their number + 5),
        g the same of the category, drawn to the mean over all gaps;
        rate = (users with two visits + 10 r) / (users + 10),
        r the same of the category, drawn to (all such pairs + 1) / (all pairs + 10).

    Args:
      log: events of one type.
      visit_s: events of so many seconds are one visit.
      categories: [n] ids from 0; None: all items are of one.
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
    sums, counts = np.bincount(gap_rows, gaps, n), np.bincount(gap_rows, minlength=n)
    repeaters = np.bincount(np.unique(users[1:][again] * n + gap_rows) % n, minlength=n)
    owners = popularity.buyers(log)
    mean_gap = float(gaps.mean()) if len(gaps) else 0.0
    mean_rate = (repeaters.sum() + 1.0) / (owners.sum() + _USERS)
    return Habits(
        rate=_drawn(repeaters, owners, mean_rate, _USERS, categories),
        gap=_drawn(sums, counts, mean_gap, _GAPS, categories),
    )


def transition_rates(
    log: EventLog, days: float, categories: IntArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """How owners and others took to each item in the last `days` days.

    Returns:
      again: [n] share of the owners (bought before the window) active in the window
        who bought again, drawn to the share of the category with the weight of ten
        owners, and that to the mean share.
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
    owners = np.bincount(owned % n, minlength=n)
    others = np.maximum(len(active) - owners, 0.0)
    anew = np.bincount(fresh % n, minlength=n) / (others + _USERS)
    repeats = np.bincount(again % n, minlength=n)
    return _drawn(repeats, owners, mean, _USERS, categories), anew.astype(np.float32)


def _drawn(
    sums: npt.NDArray[np.number],
    counts: npt.NDArray[np.number],
    mean: float,
    weight: float,
    categories: IntArray | None,
) -> FloatArray:
    """[n] sums / counts, drawn to those of the category, and these to the mean."""
    near = np.full(len(sums), mean)
    if categories is not None:
        of_all, number = (np.bincount(categories, part) for part in (sums, counts))
        near = ((of_all + weight * mean) / (number + weight))[categories]
    drawn = (np.asarray(sums, np.float64) + weight * near) / (counts + weight)
    return drawn.astype(np.float32)
