"""Each rule on rows where the answer is plain to see."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.clean import rules
from core.config.clean import CleanConfig
from tests.components.shop_tables import as_table, event

LATEST = 1_000_000


def _reasons(rows: list[dict[str, object]]) -> list[str | None]:
    events = as_table("events", rows)
    broken = rules.event_rules(
        events, pa.chunked_array([["i1", "i2"]]), ["view", "purchase"], LATEST
    )
    return rules.first_reason(broken, len(rows)).tolist()


def test_each_broken_event_gets_its_reason() -> None:
    rows = [
        event("u", "i1", 5),
        event(None, "i1", 5),
        event("  ", "i1", 5),
        event("u", "", 5),
        event("u", "i1", 5, event=None),
        event("u", "i1", None),  # type: ignore[arg-type]
        event("u", "i1", 5, event="wish"),
        event("u", "i9", 5),
        event("u", "i1", -1),
        event("u", "i1", LATEST),
        event("u", "i1", LATEST + 1),
        event("u", "i1", 6, price=0.0),
        event("u", "i1", 7, price=-1.0),
        event("u", "i1", 8, price=float("inf")),
        event("u", "i1", 9, quantity=0.0),
        event("u", "i1", 10, position=-1),
        event("u", "i1", 11, price=None, quantity=None),
        event("u", "i1", 0, position=0),
    ]
    assert _reasons(rows) == [
        None,
        "missing user_id",
        "missing user_id",
        "missing item_id",
        "missing event",
        "missing timestamp",
        "unknown event type",
        "item not in the catalogue",
        "timestamp before 1970",
        None,
        "timestamp in the future",
        "price not above zero",
        "price not above zero",
        "price not above zero",
        "quantity not above zero",
        "negative position",
        None,
        None,
    ]


def test_first_broken_rule_gives_the_reason() -> None:
    assert _reasons([event(None, "i9", -1, price=-1.0)]) == ["missing user_id"]


def test_only_the_first_of_equal_rows_is_kept() -> None:
    rows = [event("u", "i1", 5)] * 3 + [event("u", "i1", 5, country="DE")]
    assert _reasons(rows) == [None, "exact duplicate", "exact duplicate", None]


def test_broken_items_get_their_reason() -> None:
    items = as_table(
        "items",
        [
            {"item_id": "a", "title": "A", "price": 1.0, "in_stock": 1},
            {"item_id": "a", "title": "A", "price": 1.0, "in_stock": 1},
            {"item_id": None, "title": "B"},
            {"item_id": "c", "title": " "},
            {"item_id": "d", "title": "D", "price": -1.0},
            {"item_id": "e", "title": "E", "in_stock": 2},
            {"item_id": "f", "title": "F"},
        ],
    )
    assert rules.first_reason(rules.item_rules(items), 7).tolist() == [
        None,
        "exact duplicate",
        "missing item_id",
        "missing title",
        "price not above zero",
        "in_stock neither 0 nor 1",
        None,
    ]


def test_bots_are_busy_hour_after_hour() -> None:
    config = CleanConfig(bot_events_per_hour=10, bot_hours=2)
    hours = {
        0: [11, 11],  # a bot
        1: [11, 10],  # one busy hour only
        2: [500],  # one very large order
        3: [10, 10, 10],  # never above the limit
    }
    users, times = [], []
    for user, counts in hours.items():
        for hour, count in enumerate(counts):
            users += [user] * count
            times += [hour * 3600 + n % 3600 for n in range(count)]
    mask = rules.bot_like(np.array(users), np.array(times), config)
    assert set(np.array(users)[mask]) == {0}
    assert mask.sum() == 22
    assert rules.bot_like(np.array([]), np.array([]), config).tolist() == []
