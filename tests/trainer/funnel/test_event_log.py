"""Events as integers: known items and types only, users numbered by appearance."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from core.config import ShopConfig
from core.errors import InputDataError
from trainer.funnel.event_log import encode_events

SHOP = ShopConfig(
    name="small", event_types=("view", "purchase"), event_weights=(0.1, 1.0)
)
ITEMS = pa.table({"item_id": ["a", "b"]})
ROWS = [
    ("late", "b", "view", 30),
    ("ann", "a", "view", 10),
    ("bob", "gone", "view", 5),  # no such item
    ("eve", "a", "wave", 5),  # no such type
    ("ann", "b", "purchase", 20),
    ("dan", "a", "purchase", 10),
]


def table(rows: list[tuple[str, str, str, int]]) -> pa.Table:
    users, items, events, times = zip(*rows, strict=True)
    return pa.table(
        {
            "user_id": list(users),
            "item_id": list(items),
            "event": list(events),
            "timestamp": pa.array(times, pa.int64()),
        }
    )


@pytest.mark.parametrize("size", [1, 2, 6])
def test_parts_and_one_table_are_the_same_log(size: int) -> None:
    parts = [table(ROWS[i : i + size]) for i in range(0, len(ROWS), size)]
    log = encode_events(ITEMS, parts, SHOP)
    assert (log.num_users, log.num_items) == (3, 2)
    np.testing.assert_array_equal(log.users, [0, 1, 1, 2])  # late, ann, ann, dan
    np.testing.assert_array_equal(log.rows, [1, 0, 1, 0])
    np.testing.assert_array_equal(log.kinds, [0, 0, 1, 1])
    np.testing.assert_array_equal(log.timestamps, [30, 10, 20, 10])


def test_a_cut_off_leaves_what_came_before_it_and_its_users() -> None:
    early = encode_events(ITEMS, [table(ROWS)], SHOP).before(20)
    assert (early.as_of, early.num_users) == (20, 2)
    np.testing.assert_array_equal(early.users, [0, 1])  # ann, dan
    np.testing.assert_array_equal(early.timestamps, [10, 10])


def test_no_events_are_an_empty_log() -> None:
    log = encode_events(ITEMS, [], SHOP)
    assert (log.num_users, len(log.rows), log.before(5).num_users) == (0, 0, 0)


def test_an_item_may_not_stand_in_the_catalogue_twice() -> None:
    with pytest.raises(InputDataError, match="Received twice: a"):
        encode_events(pa.table({"item_id": ["a", "a"]}), [], SHOP)
