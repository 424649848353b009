"""No search page knows anything of its own time; equality with a slow oracle."""

from __future__ import annotations

import string
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.join_history.make_searches import (
    SPLITS,
    limits_of,
    make_searches,
    page_keys,
    searches_schema,
)
from core.config.searches import SearchMomentConfig
from core.config.splits import SplitConfig
from core.features import SECONDS_PER_DAY as DAY
from tests.components.join_history import search_oracle
from tests.components.shop_tables import as_table, event

CONTEXT = ("country",)
TYPES = ("view", "click", "purchase")
# T2 on day 20, T1 on day 18; cut-offs on days 18, 17, 16, 15.
SPLIT_CONFIG = SplitConfig(
    test_start=20 * DAY, horizon_days=2, stride_days=1, num_cutoffs=4, max_history=4
)
# Few distinct times, on and beside the cut-offs, so that ties and borders are common.
TIMES = st.one_of(
    st.sampled_from([d * DAY + s for d in range(14, 22) for s in (-1, 0, 1)]),
    st.integers(14 * DAY, 22 * DAY),
)
ROWS = st.lists(
    st.builds(
        event,
        user=st.sampled_from(["u", "ü"]),
        item=st.sampled_from(string.ascii_lowercase[:5]),
        timestamp=TIMES,
        event=st.sampled_from(TYPES),
        session_id=st.sampled_from([None, None, "s", "t"]),
        query=st.sampled_from([None, "", "jug", "茶"]),
        position=st.sampled_from([None, 0, 1, 2]),
        country=st.sampled_from([None, "FR", "DE"]),
    ),
    min_size=1,
    max_size=30,
)
Page = dict[str, Any]


def _pages(
    rows: list[dict[str, Any]], config: SearchMomentConfig
) -> dict[str, list[Page]]:
    events = as_table("events", rows)
    made = make_searches(events, SPLIT_CONFIG, config, TYPES, CONTEXT)
    return {name: table.to_pylist() for name, table in made.items()}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS, gap_s=st.sampled_from([0, 1, DAY]))
def test_pages_equal_the_oracle(rows: list[dict[str, Any]], gap_s: int) -> None:
    made = _pages(rows, SearchMomentConfig(page_gap_s=gap_s))
    assert made == search_oracle.search_pages(rows, SPLIT_CONFIG, gap_s)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS, gap_s=st.sampled_from([0, DAY]), until=st.integers(15, 21))
def test_a_page_s_history_does_not_know_the_page_or_what_follows(
    rows: list[dict[str, Any]], gap_s: int, until: int
) -> None:
    config = SearchMomentConfig(page_gap_s=gap_s)
    made = _pages(rows, config)
    for split, pages in made.items():
        for page in pages:
            time = page["timestamp"]
            assert all(t < time for t in page["history_timestamps"])
            assert page["history_timestamps"] == sorted(page["history_timestamps"])
            assert page["cutoff"] <= time
            assert split != "train" or page["cutoff"] < SPLIT_CONFIG.eval_start
            assert len(page["history_item_ids"]) <= SPLIT_CONFIG.max_history
    # What a request would carry is the same if the log ends behind the page's second.
    end = until * DAY
    early = _pages([row for row in rows if row["timestamp"] < end] or rows[:0], config)
    carried = ("user_id", "timestamp", "query", "cutoff", "history_timestamps")
    for split in SPLITS:
        whole = [p for p in made[split] if p["timestamp"] < end]
        assert [[p[k] for k in carried] for p in early[split]] == [
            [p[k] for k in carried] for p in whole
        ]


def test_what_follows_the_border_of_a_split_does_not_count_on_the_page() -> None:
    last = 18 * DAY - 1  # a second before T1
    rows = [event("u", "a", last - 60)]
    rows += [
        event("u", item, time, event=kind, session_id="s", query="jug", position=slot)
        for item, time, kind, slot in (
            ("b", last, "view", 0),
            ("c", last, "view", 1),
            ("c", last, "click", 1),
            ("b", last + 9, "click", 0),
            ("c", last + 60, "purchase", 1),
        )
    ]
    made = _pages(rows, SearchMomentConfig())
    assert not made["eval"] and not made["test"]
    (page,) = made["train"]
    assert page["history_item_ids"] == ["a"]
    assert page["cutoff"] == 17 * DAY
    assert page["shown_item_ids"] == ["b", "c"]
    assert page["shown_positions"] == [0, 1]
    assert page["shown_click"] == [0, 1]
    assert page["shown_purchase"] == [0, 0]


def test_clicks_without_views_show_what_was_touched() -> None:
    rows = [
        event("u", "b", 16 * DAY, event="click", query="jug", position=None),
        event("u", "a", 16 * DAY + 5, event="click", query="jug", position=None),
    ]
    (page,) = _pages(rows, SearchMomentConfig())["train"]
    assert page["shown_item_ids"] == ["a", "b"]
    assert page["shown_positions"] == [-1, -1]
    assert page["shown_click"] == [1, 1]


def test_the_sample_is_the_same_whatever_groups_of_users_make_it() -> None:
    rows = [
        event(f"u{n % 40}", "a", 16 * DAY + n, query=f"q{n % 7}", session_id=f"s{n}")
        for n in range(400)
    ]
    config = SearchMomentConfig(max_pages_per_split=150)
    together = _pages(rows, config)["train"]
    assert len(together) == 150
    halves = [
        as_table("events", [r for r in rows if (r["user_id"] < "u2") == half])
        for half in (True, False)
    ]
    keys = [page_keys(half, SPLIT_CONFIG, config) for half in halves]
    limits = limits_of(keys, config)
    parts = [
        make_searches(half, SPLIT_CONFIG, config, TYPES, CONTEXT, limits)["train"]
        for half in halves
    ]
    apart = pa.concat_tables(parts).to_pylist()
    assert sorted(map(repr, apart)) == sorted(map(repr, together))
    other = _pages(rows, config.replace(seed=1))["train"]
    assert {p["timestamp"] for p in other} != {p["timestamp"] for p in together}


@pytest.mark.parametrize("missing", [(), ("query",), ("query", "session_id")])
def test_a_shop_without_queries_gets_empty_splits(missing: tuple[str, ...]) -> None:
    events = as_table("events", [event("u", "a", 16 * DAY)]).drop(list(missing))
    config = SearchMomentConfig()
    made = make_searches(events, SPLIT_CONFIG, config, ("purchase",), CONTEXT)
    assert set(made) == set(SPLITS)
    for table in made.values():
        assert table.num_rows == 0
        assert table.schema == searches_schema(("purchase",), CONTEXT)
    names = made["train"].column_names
    assert "shown_purchase" in names and "shown_click" not in names
