"""Clean events → time splits train < T1 <= eval < T2 <= test."""

from __future__ import annotations

import datetime

import pyarrow as pa
import pyarrow.compute as pc

from core import features
from core.config.splits import SplitConfig
from core.errors import InputDataError

SPLITS = ("train", "eval", "test")


def split_events(events: pa.Table, splits: SplitConfig) -> dict[str, pa.Table]:
    """Split name → its events, in the order they came; a split may be empty.

    Raises:
      InputDataError: `train` is empty.
    """
    times = events.column(features.TIMESTAMP)
    before_eval = pc.less(times, splits.eval_start)
    before_test = pc.less(times, splits.test_start)
    parts = {
        "train": events.filter(before_eval),
        "eval": events.filter(pc.and_not(before_test, before_eval)),
        "test": events.filter(pc.invert(before_test)),
    }
    if parts["train"].num_rows == 0:
        span = pc.min_max(times).as_py()
        raise InputDataError(
            f"Some events must lie before the evaluation period, which starts on "
            f"{_day(splits.eval_start)} (test on {_day(splits.test_start)}). Received: "
            f"{events.num_rows} events from {_day(span['min'])} to "
            f"{_day(span['max'])}. Set a later SplitConfig.test_start or a shorter "
            "horizon, or check that timestamps are seconds and not milliseconds."
        )
    return parts


def _day(seconds: int) -> str:
    try:
        moment = datetime.datetime.fromtimestamp(seconds, tz=datetime.timezone.utc)
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"
    return moment.strftime("%Y-%m-%d")
