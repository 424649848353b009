"""Whole tables in, clean tables and every rejected row out."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from components.clean import split_events
from components.clean.clean_tables import CleanTables, clean_tables
from core.config.clean import CleanConfig
from core.errors import InputDataError
from tests.components import shop_tables
from tests.components.shop_tables import DAY, SHOP, SPLITS, T2, as_table, event


def _clean(items: pa.Table, events: pa.Table) -> CleanTables:
    return clean_tables(items, events, SHOP, CleanConfig(), latest_timestamp=T2 * 9)


def test_every_row_is_kept_or_rejected_with_its_reason() -> None:
    items = as_table(
        "items",
        [
            {"item_id": "b", "title": " Blue\u00a0 mug "},
            {"item_id": "a", "title": "Red mug", "price": 3.0, "brand": "Acme"},
            {"item_id": "b", "title": "Second b"},
            {"item_id": "é", "title": "E"},
            {"item_id": "Z", "title": ""},
        ],
    )
    events = as_table(
        "events",
        [
            event("u2", "a", 10, country=" FR "),
            event("u1", "b", 30),
            event("u1", "a", 20, price=2.5),
            event("u1", "Z", 20),
            event("u1", "b", 30),
        ],
    )
    found = _clean(items, events)
    assert found.items.column("item_id").to_pylist() == ["a", "b", "é"]  # byte order
    assert found.items.column("title").to_pylist() == ["Red mug", "Blue mug", "E"]
    rows = found.events.to_pylist()
    assert [(r["user_id"], r["timestamp"], r["item_id"]) for r in rows] == [
        ("u1", 20, "a"),
        ("u1", 30, "b"),
        ("u2", 10, "a"),
    ]
    assert rows[0]["title"] == "Red mug"
    assert (rows[0]["price"], rows[0]["event_price"]) == (3.0, 2.5)
    assert (rows[1]["price"], rows[1]["brand"]) == (None, None)
    assert rows[2]["country"] == "FR"
    assert found.summary["items"] == {
        "rows_in": 5,
        "rows_out": 3,
        "rejected": {"missing title": 1, "item_id seen before": 1},
    }
    assert found.summary["events"]["rejected"] == {
        "item not in the catalogue": 1,
        "exact duplicate": 1,
    }
    rejected = found.rejected.to_pylist()
    assert [row["table"] for row in rejected] == ["items", "items", "events", "events"]
    assert json.loads(rejected[1]["row"])["title"] == "Second b"


def test_events_with_equal_keys_have_one_order() -> None:
    rows = [event("u", "i1", 5), event("u", "i1", 5, event="view"), event("u", "i0", 5)]
    items = shop_tables.items_table(2)
    forward = _clean(items, as_table("events", rows)).events
    backward = _clean(items, as_table("events", rows[::-1])).events
    assert forward.equals(backward)


def test_outliers_are_clipped_and_counted() -> None:
    rows = [event("u", "i1", n, quantity=1.0) for n in range(9)]
    rows.append(event("u", "i1", 9, quantity=80_995.0, price=9_500.0))
    found = _clean(shop_tables.items_table(2), as_table("events", rows))
    # median price 9.5 and quantity 1, no spread: bounds 9.5 * 10 and 1 * 100
    assert found.events.column("event_price").to_pylist()[-1] == pytest.approx(95.0)
    assert found.events.column("quantity").to_pylist()[-1] == pytest.approx(100.0)
    assert found.summary["events"]["winsorized"] == {"price": 1, "quantity": 1}


def test_bots_are_rejected_after_the_other_rules() -> None:
    rows = [event("bot", "i1", n * 7) for n in range(1500)]  # 514 an hour, 3 hours
    rows.append(event("u", "i1", 5))
    config = CleanConfig(bot_events_per_hour=400, bot_hours=2)
    found = clean_tables(
        shop_tables.items_table(2), as_table("events", rows), SHOP, config, T2
    )
    assert found.events.column("user_id").to_pylist() == ["u"]
    assert found.summary["events"]["rejected"] == {"bot-like user": 1500}


def test_nothing_left_is_explained() -> None:
    with pytest.raises(InputDataError, match=r"`events`.*0 of 2 \(2 x item not in"):
        rows = [event("u", "x", 1), event("u", "y", 1)]
        _clean(shop_tables.items_table(2), as_table("events", rows))
    with pytest.raises(InputDataError, match="`items`"):
        _clean(as_table("items", [{"title": "A"}]), shop_tables.events_table())


def test_splits_are_half_open_in_time() -> None:
    t1 = T2 - 7 * DAY
    times = [t1 - 1, t1, T2 - 1, T2, T2 + 100 * DAY]
    events = as_table("events", [event("u", "i1", t) for t in times])
    parts = split_events.split_events(events, SPLITS)
    assert {name: p.column("timestamp").to_pylist() for name, p in parts.items()} == {
        "train": times[:1],
        "eval": times[1:3],
        "test": times[3:],
    }


def test_empty_train_split_tells_the_dates() -> None:
    counts = {"train": 0, "eval": 0, "test": 1}
    with pytest.raises(InputDataError, match=r"1970-04-04.*1970-04-11.*1 event.*unit"):
        split_events.require_train(counts, T2, T2, SPLITS)


def test_a_shop_without_a_log_has_all_columns_and_no_rows() -> None:
    items = as_table("items", [{"item_id": "a", "title": "Red mug"}])
    some = _clean(items, as_table("events", [event("u1", "a", 10)]))
    none = clean_tables(items, None, SHOP, CleanConfig(), latest_timestamp=T2)
    assert none.events.schema == some.events.schema
    assert none.events.num_rows == 0
    assert none.items.equals(some.items)
    assert none.summary["events"]["rows_in"] == 0
    # A log of which nothing is left is another matter.
    with pytest.raises(InputDataError, match="events"):
        _clean(items, as_table("events", [event("u1", "unknown", 10)]))
