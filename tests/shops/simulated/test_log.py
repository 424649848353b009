from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from shops import Shop
from shops.simulated import World, sessions


def test_sessions_walk_down_the_funnel(demo_events: pd.DataFrame) -> None:
    wide = demo_events.pivot_table(
        index=["session_id", "item_id"], columns="event", values="timestamp"
    )

    assert wide["view"].notna().all()
    for before, after in (("view", "click"), ("click", "cart"), ("cart", "purchase")):
        reached = wide[wide[after].notna()]
        assert (reached[after] > reached[before]).all()


def test_sessions_belong_to_one_person_and_one_day(demo_events: pd.DataFrame) -> None:
    days = demo_events.assign(day=demo_events["timestamp"] // 86_400)
    distinct = days.groupby("session_id")[["user_id", "day"]].nunique()

    assert (distinct == 1).all().all()


def test_new_items_are_never_seen_before_their_launch(
    demo: Shop, demo_events: pd.DataFrame, demo_world: World
) -> None:
    catalogue = demo_world.catalogue
    launch = pd.Series(catalogue.launch_day, index=catalogue.item_ids)
    day = (demo_events["timestamp"] - demo_world.config.start) // 86_400
    new = launch[launch >= 0]
    first_seen = day.groupby(demo_events["item_id"]).min()

    assert len(new) == pytest.approx(0.3 * 5_000, rel=0.1)
    seen = new[new.index.isin(first_seen.index)]
    assert (first_seen[seen.index] >= seen).all()
    assert (first_seen[seen.index] - seen).median() < 14


def test_items_out_of_stock_are_not_shown(
    demo_events: pd.DataFrame, demo_world: World
) -> None:
    catalogue = demo_world.catalogue
    row = pd.Series(np.arange(catalogue.num_items), index=catalogue.item_ids)
    day = (demo_events["timestamp"] - demo_world.config.start) // 86_400

    assert catalogue.available[day, demo_events["item_id"].map(row)].all()
    assert not catalogue.available[-1].all()


def test_queries_of_every_kind_are_typed(
    demo_events: pd.DataFrame, demo_world: World
) -> None:
    typed = demo_events["query"].dropna()
    searches = demo_events.drop_duplicates("session_id")["query"].notna().mean()

    assert searches == pytest.approx(0.33, abs=0.08)  # 40 % of the unprompted ones
    for query in ("bottle", "flask", "保温杯", "cat food"):
        assert (typed == query).any()
    assert typed.str.contains(r" 500 (?:ml|g|pieces)$").any()
    assert typed.str.contains(r" \d+(?:毫升|克|块)$").any()
    assert set(typed) <= set(demo_world.queries.intents)
    real = {
        noun
        for leaf in demo_world.catalogue.leaves
        for noun in (*leaf.nouns, *leaf.nouns_zh)
    }
    plain = [
        q for q, i in demo_world.queries.intents.items() if i.style == i.brand == -1
    ]
    assert set(plain) - real  # the misspelt ones
    assert typed.isin(set(plain) - real).any()


def test_people_search_in_their_language(
    demo_events: pd.DataFrame, demo_world: World
) -> None:
    typed = demo_events[demo_events["query"].notna()]
    chinese = typed["query"].str.contains("[\u4e00-\u9fff]")

    assert chinese.eq(typed["country"] == "CN").all()


def test_judgments_grade_what_the_query_names(demo: Shop, demo_world: World) -> None:
    assert demo.tables.judgments is not None
    judged = demo.tables.judgments.to_pandas().merge(
        demo.tables.items.to_pandas(), on="item_id"
    )
    intents = demo_world.queries.intents
    styled = [
        query
        for query in judged["query"].unique()
        if intents[query].style >= 0 and intents[query].size == -1
    ]

    assert len(styled) > 10
    for query in styled:
        leaf = demo_world.catalogue.leaves[intents[query].leaf]
        rows = judged[judged["query"] == query]
        named = rows["title"].str.contains("|".join(leaf.styles[intents[query].style]))
        assert set(rows["category"]) == {leaf.path}
        assert (rows["grade"] == np.where(named, 3, 2)).all()


def test_replenishing_sessions_open_with_the_item_bought_before(
    demo_world: World,
) -> None:
    purchases = demo_world.purchases
    frame = pd.DataFrame(
        {"user": purchases.user, "item": purchases.item, "day": purchases.day}
    )
    frame["gap"] = frame.groupby(["user", "item"])["day"].diff()
    period = demo_world.catalogue.period_days[frame["item"]]
    again = frame["gap"].notna() & (period > 0)
    ratio = frame["gap"][again] / period[again]

    # bought again after about its period, and more often than what lasts
    assert ratio.median() == pytest.approx(1.0, abs=0.1)
    lasting = frame["gap"].notna() & (period == 0)
    assert again.sum() > 5 * lasting.sum()


def test_search_split_is_a_distribution() -> None:
    assert sum(sessions.SEARCH_SPLIT.values()) == pytest.approx(1.0)
