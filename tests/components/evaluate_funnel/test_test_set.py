from __future__ import annotations

import pyarrow as pa
import pytest

from components.evaluate_funnel import baselines
from components.evaluate_funnel.test_set import build_test_set
from core.config import ShopConfig
from core.errors import ArtifactError

SHOP = ShopConfig(name="s", event_types=("view", "purchase"), event_weights=(1.0, 1.0))
ITEMS = pa.table({"item_id": ["a", "b", "c", "d"]})
EVENTS = pa.table(
    {
        "user_id": ["u", "u", "u", "v", "u"],
        "item_id": ["a", "b", "a", "c", "d"],
        "event": ["purchase", "view", "purchase", "purchase", "purchase"],
        "timestamp": [10, 11, 12, 13, 105],
    }
)


def _moments(targets, events):
    return pa.table(
        {
            "user_id": ["u", "stranger"],
            "timestamp": [100, 100],
            "history_item_ids": [["a", "b", "a"], []],
            "history_events": [["purchase", "view", "purchase"], []],
            "history_timestamps": [[10, 11, 12], []],
            "target_item_ids": targets,
            "target_events": events,
        }
    )


def test_truth_is_distinct_target_events_on_items_seen_before_the_cut_off():
    moments = _moments(
        [["a", "a", "b", "c", "d", "?"], ["b"]],
        [
            ["purchase", "purchase", "view", "purchase", "purchase", "purchase"],
            ["view"],
        ],
    )
    found = build_test_set(moments, ITEMS, EVENTS, SHOP)
    # b is only viewed, d first seen at 105, ? no item; the stranger bought nothing
    assert found.num_moments == 1
    assert found.truth.rows.tolist() == [0, 2]
    assert found.owned.rows.tolist() == [0]
    assert found.new_truth.rows.tolist() == [2]
    assert found.cutoff == 100
    assert len(found.past) == 4
    bought = baselines.interactions(found, SHOP).toarray()
    assert bought.tolist() == [[2, 0, 0, 0], [0, 0, 1, 0]]  # u: a twice; v: c
    weighed = baselines.interactions(found, SHOP, {"view": 0.5, "purchase": 1.0})
    assert weighed.toarray().tolist() == [[2, 0.5, 0, 0], [0, 0, 1, 0]]
    # Probabilities are asked of everybody.
    assert found.anybody.column("user_id").to_pylist() == ["u", "stranger"]
    assert found.anybody_truth.sizes.tolist() == [2, 0]


def test_events_before_are_counted_in_the_log_not_in_the_shortened_history():
    moments = _moments([["a"], ["c"]], [["purchase"], ["purchase"]])
    short = pa.array([["a"], []])  # of the three that u did before 100
    column = moments.schema.get_field_index("history_item_ids")
    moments = moments.set_column(column, "history_item_ids", short)
    found = build_test_set(moments, ITEMS, EVENTS, SHOP)
    assert found.events_before.tolist() == [3, 0]


def test_what_happens_at_the_cut_off_is_not_the_past():
    at_cutoff = {
        "user_id": ["u", "v"],
        "item_id": ["b", "d"],
        "event": ["purchase", "purchase"],
        "timestamp": [100, 100],
    }
    events = pa.concat_tables([EVENTS, pa.table(at_cutoff)])
    moments = _moments([["b", "d"], ["c"]], [["purchase", "purchase"], ["purchase"]])
    found = build_test_set(moments, ITEMS, events, SHOP)
    # b was viewed before, d never; what u bought at 100 is asked for, not owned.
    assert found.truth.rows.tolist() == [1, 2]
    assert found.owned.rows.tolist() == [0]
    assert len(found.past) == 4
    assert found.events_before.tolist() == [3, 0]


def test_large_test_sets_are_sampled_the_same_way_each_time():
    moments = _moments([["a"], ["c"]], [["purchase"], ["purchase"]])
    one = build_test_set(moments, ITEMS, EVENTS, SHOP, max_moments=1, seed=5)
    two = build_test_set(moments, ITEMS, EVENTS, SHOP, max_moments=1, seed=5)
    assert one.num_moments == 1
    assert one.moments.equals(two.moments)


def test_where_nobody_comes_back_the_message_says_what_a_moment_is():
    moments = _moments([[], []], [[], []]).slice(0, 0)
    with pytest.raises(ArtifactError, match=r"a user_id with an event before .*none\."):
        build_test_set(moments, ITEMS, EVENTS, SHOP)


def test_a_test_set_without_any_truth_is_refused():
    moments = _moments([["d"], []], [["purchase"], []])
    with pytest.raises(ArtifactError, match="at least one moment"):
        build_test_set(moments, ITEMS, EVENTS, SHOP)
