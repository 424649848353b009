from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from shops import Shop
from shops.simulated import World

DAY = 86_400


def logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


@pytest.fixture(scope="module")
def searches(demo_events: pd.DataFrame, demo_world: World) -> pd.DataFrame:
    """One row per slot that a search showed: the true gain and what happened."""
    typed = demo_events[demo_events["query"].notna()]
    keys = ["session_id", "item_id"]
    shown = (
        typed[typed["event"] == "view"]
        .drop_duplicates(keys)
        .sample(3_000, random_state=1)
    )
    for event in ("click", "purchase"):
        done = typed[typed["event"] == event][keys].drop_duplicates()
        shown = shown.merge(done.assign(**{event: True}), on=keys, how="left")
        shown[event] = shown[event].notna()
    items = sorted(set(shown["item_id"]))
    told = demo_world.search_gain(
        shown["user_id"].tolist(),
        shown["query"].tolist(),
        items,
        at=shown["timestamp"].tolist(),
    )
    column = {name: row for row, name in enumerate(items)}
    place = np.arange(len(shown)), shown["item_id"].map(column).to_numpy()
    return shown.assign(
        told_click=told.click[place], told_purchase=told.purchase[place]
    )


@pytest.mark.parametrize("event", ["click", "purchase"])
def test_gain_is_the_frequency_in_the_log(searches: pd.DataFrame, event: str) -> None:
    told = searches[f"told_{event}"] * (1.0 + searches["position"]) ** -0.6
    tenth = pd.qcut(told, 10, labels=False)
    expected = told.groupby(tenth).sum()
    found = searches[event].groupby(tenth).sum()

    # sums of independent coins: four standard deviations in each tenth
    assert ((found - expected).abs() < 4 * np.sqrt(expected)).all()
    assert found.sum() == pytest.approx(expected.sum(), rel=0.08)


def test_everything_that_a_search_shows_has_a_gain(searches: pd.DataFrame) -> None:
    assert (searches["told_click"] > 0).all()


def test_gain_is_the_formula_of_the_documentation(
    demo: Shop, demo_world: World
) -> None:
    people, catalogue = demo_world.people, demo_world.catalogue
    title = dict(
        zip(
            demo.tables.items["item_id"].to_pylist(),
            demo.tables.items["title"].to_pylist(),
            strict=True,
        )
    )
    for user, item in ((3, 17), (400, 18), (401, 30), (7, 40)):
        query = "nordal bottle"
        assert catalogue.leaves[catalogue.leaf[item]].name == "Bottles"
        taste = (
            people.brand_factors[user] @ catalogue.brand_factors[catalogue.brand[item]]
        )
        gap = catalogue.price_level[item] - people.price_level[user]
        reads, written = int(people.chinese[user]), int(catalogue.chinese[item])
        language = {(0, 0): 0.0, (0, 1): -1.5, (1, 0): -0.5, (1, 1): 0.5}
        worth = (
            0.9 * taste / math.sqrt(8)
            - 0.35 * min(gap**2, 9.0)
            + language[reads, written]
            + catalogue.quality[item]
        )
        name = catalogue.item_ids[item]
        factor = 1.0 if title[name].startswith("Nordal") else 0.4
        click = factor * logistic(0.8 + worth)

        gain = demo_world.search_gain([people.user_ids[user]], [query], [name])

        assert gain.click[0, 0] == pytest.approx(click)
        bought = click * logistic(worth / 2) * logistic(1.2 + worth / 2)
        assert gain.purchase[0, 0] == pytest.approx(bought)


def test_only_what_the_query_names_has_a_gain(demo: Shop, demo_world: World) -> None:
    items = demo.tables.items.to_pandas()
    ids = items["item_id"].tolist()
    leaf = items["category"] == "Kitchen > Bottles"
    glass = items["title"].str.contains("Glass|玻璃")
    queries = ["bottle", "glass bottle", "glass bottle 500 ml", "submarine"]

    gain = demo_world.search_gain(demo_world.people.user_ids[:1] * 4, queries, ids)

    for row, named in enumerate((leaf, leaf & glass, leaf & glass, leaf & False)):
        np.testing.assert_array_equal(gain.click[row] > 0, named)


def test_lasting_item_that_one_has_is_clicked_a_tenth_as_often(
    demo_world: World,
) -> None:
    catalogue, past = demo_world.catalogue, demo_world.purchases
    lasts = np.flatnonzero(catalogue.period_days[past.item] == 0)
    row = next(
        row
        for row in lasts[(past.day[lasts] > 20) & (past.day[lasts] < 100)]
        if catalogue.available[past.day[row] + 1, past.item[row]]
        and not ((past.user == past.user[row]) & (past.item == past.item[row]))[
            :row
        ].any()
    )
    leaf = catalogue.leaves[catalogue.leaf[past.item[row]]]
    at = demo_world.config.start + int(past.day[row]) * DAY

    gain = demo_world.search_gain(
        [demo_world.people.user_ids[past.user[row]]] * 2,
        [leaf.nouns[0]] * 2,
        [catalogue.item_ids[past.item[row]]],
        at=[at, at + DAY],
    )

    assert gain.click[1, 0] == pytest.approx(0.1 * gain.click[0, 0])
    assert gain.purchase[1, 0] == pytest.approx(0.1 * gain.purchase[0, 0])


def test_what_is_not_sold_yet_has_no_gain(demo_world: World) -> None:
    late = int(np.flatnonzero(demo_world.catalogue.launch_day > 60)[0])
    leaf = demo_world.catalogue.leaves[demo_world.catalogue.leaf[late]]
    start = demo_world.config.start

    gain = demo_world.search_gain(
        demo_world.people.user_ids[:1], leaf.nouns[:1], at=[start]
    )

    assert gain.click[0, late] == 0.0
    assert gain.click.any()


def test_oracle_page_holds_the_highest_gains_and_nothing_else(
    demo_world: World,
) -> None:
    users = demo_world.people.user_ids[:700]  # more than one batch
    queries = ["bottle", "submarine"] * 350
    gain = demo_world.search_gain(users, queries).click
    names = np.array(demo_world.catalogue.item_ids)

    pages = demo_world.oracle_search_page(users, queries, 5)

    assert len(pages) == 700
    for row in (0, 1, 698, 699):
        best = np.sort(gain[row])[::-1][:5]
        found = [gain[row, np.flatnonzero(names == item)[0]] for item in pages[row]]
        assert found == best[best > 0].tolist()
    short = demo_world.oracle_search_page(users[:1], ["nordal glass bottle"], 10**4)
    assert short == [[]]  # nobody types this


@pytest.mark.parametrize(
    ("query", "classes"),
    [
        ("bottle", {"generic"}),
        ("flask", {"generic", "synonym"}),
        ("glass bottle", {"specific"}),
        ("bottle glass", {"specific"}),
        ("glass flask", {"specific", "synonym"}),
        ("glass bottle 500 ml", {"specific"}),
        ("保温杯", {"generic", "chinese"}),
        ("水杯", {"generic", "chinese", "synonym"}),
        ("玻璃 水杯", {"specific", "chinese", "synonym"}),
        ("submarine", set()),
    ],
)
def test_class_of_a_query_is_known(
    demo_world: World, query: str, classes: set[str]
) -> None:
    assert demo_world.query_class(query) == classes


def test_misspelt_queries_are_not_made_of_the_words_of_others(
    demo_world: World,
) -> None:
    book = demo_world.queries.intents
    misspelt = [q for q in book if "misspelt" in demo_world.query_class(q)]
    usual = {" ".join(q.split()) for q in book if q not in misspelt}

    assert len(misspelt) > 100
    assert not {" ".join(query.split()) for query in misspelt} & usual
