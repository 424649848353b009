from __future__ import annotations

import hashlib

import pandas as pd
import pyarrow as pa
import pytest

from core.errors import ConfigError
from shops import Shop, Tables
from shops.simulated import simulate
from tests.shops.contract_checks import assert_obeys_contract


def digest(tables: Tables) -> str:
    """SHA-256 of the tables as Arrow streams."""
    sink = pa.BufferOutputStream()
    for table in (tables.items, tables.events, tables.judgments):
        assert table is not None
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table.combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()


def test_tables_obey_the_data_contract(tiny: Shop) -> None:
    assert_obeys_contract(tiny)
    assert tiny.tables.rejected.num_rows == 0


def test_same_seed_same_rows(tiny: Shop) -> None:
    assert digest(simulate("tiny", seed=0).tables) == digest(tiny.tables)
    assert digest(simulate("tiny", seed=1).tables) != digest(tiny.tables)


def test_unknown_size_lists_the_sizes() -> None:
    with pytest.raises(ConfigError, match="tiny, demo, large"):
        simulate("huge")


def test_demo_has_the_promised_size_and_funnel(
    demo: Shop, demo_events: pd.DataFrame
) -> None:
    shares = demo_events["event"].value_counts(normalize=True)
    purchases = (demo_events["event"] == "purchase").sum()

    assert demo.tables.items.num_rows == 5_000
    assert 4_000 < demo_events["user_id"].nunique() <= 5_000
    assert 180_000 < len(demo_events) < 230_000
    assert purchases > 3 * 5_000
    assert 0.55 < shares["view"] < 0.68
    assert 0.16 < shares["click"] < 0.26
    assert 0.08 < shares["cart"] < 0.13
    assert 0.06 < shares["purchase"] < 0.11


def test_calendar_holds_the_test_split_and_the_grid(
    demo: Shop, demo_events: pd.DataFrame
) -> None:
    # `date -u -d 2025-07-01 +%s`, 14 and 120 days before
    end = 1_751_328_000
    assert demo.splits.test_start == end - 14 * 86_400
    assert demo_events["timestamp"].between(end - 120 * 86_400, end - 1).all()
    assert demo.splits.grid[-1] > demo_events["timestamp"].min() + 40 * 86_400


def test_a_fifth_of_the_catalogue_is_chinese(demo: Shop) -> None:
    items = demo.tables.items.to_pandas()
    chinese = items["title"].str.contains("[\u4e00-\u9fff]", regex=True)

    assert chinese.mean() == pytest.approx(0.2, abs=0.02)
    assert items["description"].str.contains("[\u4e00-\u9fff]").eq(chinese).all()
    assert (items["category"].str.count(" > ") == 1).all()
    assert items["brand"].nunique() > 20


def test_popularity_has_a_long_tail(demo_events: pd.DataFrame) -> None:
    bought = demo_events[demo_events["event"] == "purchase"]["item_id"].value_counts()

    # the top fifth of 5,000 items sells more than half, less than nine tenths
    assert 0.5 < bought.head(1_000).sum() / bought.sum() < 0.9


def test_weekends_are_busier(demo_events: pd.DataFrame) -> None:
    sessions = demo_events.drop_duplicates("session_id")
    weekday = pd.to_datetime(sessions["timestamp"], unit="s").dt.dayofweek
    # whole weeks only: 119 of the 120 days
    counts = weekday[sessions["timestamp"] < 1_751_328_000 - 86_400].value_counts()

    assert counts[[5, 6]].mean() > 1.2 * counts[[0, 1, 2, 3]].mean()
