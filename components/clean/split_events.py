"""Clean events → time splits train < T1 <= eval < T2 <= test."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from core import features
from core.config.splits import SplitConfig
from core.errors import InputDataError
from core.progress import counted

SPLITS = ("train", "eval", "test")


def split_events(events: pa.Table, splits: SplitConfig) -> dict[str, pa.Table]:
    """Split name → its events, in the order they came; a split may be empty."""
    times = events.column(features.TIMESTAMP)
    before_eval = pc.less(times, splits.eval_start)
    before_test = pc.less(times, splits.test_start)
    return {
        "train": events.filter(before_eval),
        "eval": events.filter(pc.and_not(before_test, before_eval)),
        "test": events.filter(pc.invert(before_test)),
    }


def require_train(
    counts: Mapping[str, int], first: int, last: int, splits: SplitConfig
) -> None:
    """Raises InputDataError where no event lies in `train`.

    Args:
      counts: events of each split.
      first, last: timestamps of the oldest and the newest event.
      splits: T1 and T2.
    """
    if counts["train"] == 0:
        raise InputDataError(
            f"Some events must lie before the evaluation period, which starts on "
            f"{_day(splits.eval_start)} (test on {_day(splits.test_start)}). Received: "
            f"{counted(sum(counts.values()), 'event')} from {_day(first)} to "
            f"{_day(last)}. Set a later `test_start` or fewer `horizon_days`, or check "
            "the unit that the mapping file gives for times (`timestamp: s`, or `ms`)."
        )


def _day(seconds: int) -> str:
    try:
        moment = datetime.datetime.fromtimestamp(seconds, tz=datetime.timezone.utc)
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"
    return moment.strftime("%Y-%m-%d")
