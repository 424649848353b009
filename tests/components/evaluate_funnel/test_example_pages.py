from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.evaluate_funnel.example_pages import choose_moments, example_pages
from components.evaluate_funnel.test_set import build_test_set
from core.config import ShopConfig

SHOP = ShopConfig(name="s")
EVENTS = {"often": 7, "seldom": 2, "most": 9}  # before the cut-off; one each after


def _test_set(max_history: int):
    """Three people whose histories hold `max_history` events at most."""
    log = [(u, "a", t) for u, n in EVENTS.items() for t in [*range(n), 200]]
    columns = list(zip(*log, strict=True))
    events = {"user_id": columns[0], "item_id": columns[1], "timestamp": columns[2]}
    events["event"] = ("purchase",) * len(log)
    kept = {user: list(range(n))[-max_history:] for user, n in EVENTS.items()}
    moments = {
        "user_id": list(EVENTS),
        "timestamp": [100] * 3,
        "history_item_ids": [["a"] * len(times) for times in kept.values()],
        "history_events": [["purchase"] * len(times) for times in kept.values()],
        "history_timestamps": list(kept.values()),
        "target_item_ids": [["a"]] * 3,
        "target_events": [["purchase"]] * 3,
    }
    items = pa.table({"item_id": ["a"], "title": ["pot"]})
    return build_test_set(pa.table(moments), items, pa.table(events), SHOP)


def test_people_stand_from_short_to_long_logs_whatever_a_history_holds():
    # Histories of two events are all equally long: the log tells who did more.
    assert choose_moments(_test_set(max_history=2), 3).tolist() == [1, 0, 2]


def test_all_events_before_the_moment_are_counted():
    test_set = _test_set(max_history=2)
    nothing = np.zeros((3, 0), np.int64)
    pages = example_pages(test_set, np.arange(3), nothing, nothing, nothing)
    assert [page["history_length"] for page in pages] == [7, 2, 9]
    assert [len(page["history"]) for page in pages] == [2, 2, 2]
