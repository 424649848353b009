from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import ConfigError
from shops import Shop
from shops.simulated import World

DAY = 86_400


def ndcg(pages: list[list[str]], truths: list[set[str]], k: int = 20) -> float:
    """Mean NDCG@k, ideal gain at min(|truth|, k)."""
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    values = []
    for page, truth in zip(pages, truths, strict=True):
        hits = np.array([item in truth for item in page[:k]])
        ideal = discounts[: min(len(truth), k)].sum()
        values.append((hits * discounts[: len(hits)]).sum() / ideal)
    return float(np.mean(values))


def test_click_rate_falls_with_the_position_as_configured(
    demo_events: pd.DataFrame, demo_world: World
) -> None:
    counts = demo_events.groupby(["position", "event"]).size().unstack()
    rate = (counts["click"] / counts["view"]).to_numpy()
    # (1 + p)^-0.6 for p = 1 .. 5; slot 0 holds the items that people came to buy again
    expected = np.array([0.6598, 0.5173, 0.4353, 0.3807, 0.3413])

    np.testing.assert_allclose(demo_world.position_bias[1:], expected, atol=1e-4)
    np.testing.assert_allclose(rate[1:] / rate[1], expected / expected[0], rtol=0.08)
    assert rate[0] > rate[1] / expected[0]


@pytest.fixture(scope="module")
def test_purchases(demo: Shop, demo_events: pd.DataFrame) -> pd.DataFrame:
    past = demo_events[demo_events["timestamp"] < demo.splits.test_start]
    future = demo_events[demo_events["timestamp"] >= demo.splits.test_start]
    bought = future[future["event"] == "purchase"]
    return bought[bought["user_id"].isin(past["user_id"])]


@pytest.mark.slow
def test_oracle_page_is_far_above_simple_rules(
    demo: Shop,
    demo_events: pd.DataFrame,
    demo_world: World,
    test_purchases: pd.DataFrame,
) -> None:
    start = demo.splits.test_start
    truth = test_purchases.groupby("user_id")["item_id"].agg(set)
    users = list(truth.index)[:500]
    truths = [truth[user] for user in users]
    past = demo_events[
        (demo_events["timestamp"] < start) & (demo_events["event"] == "purchase")
    ]
    popular = past["item_id"].value_counts().index[:20].tolist()
    own = past.groupby("user_id")["item_id"].agg(
        lambda ids: list(ids.value_counts().index)
    )

    oracle = ndcg(demo_world.oracle_page(users, start, 20), truths)
    popularity = ndcg([popular] * len(users), truths)
    frequency = ndcg([own.get(user, []) for user in users], truths)

    assert oracle > 8 * popularity
    assert oracle > 1.3 * frequency
    assert frequency > 2 * popularity


@pytest.mark.slow
def test_preference_is_the_mean_number_of_purchases(
    demo: Shop, demo_world: World
) -> None:
    users = demo_world.people.user_ids[:1500]
    expected = demo_world.preference(users, demo.splits.test_start)
    first = demo_world.config.num_days - 14
    past = demo_world.purchases
    realized = np.zeros_like(expected)
    in_test = (past.day >= first) & (past.user < len(users))
    np.add.at(realized, (past.user[in_test], past.item[in_test]), 1.0)
    bucket = np.digitize(expected, [0.001, 0.01, 0.1]).ravel()

    # about 720 purchases: 10 % is 2.7 standard deviations, and sessions sway together
    assert realized.sum() == pytest.approx(expected.sum(), rel=0.15)
    told = np.bincount(bucket, expected.ravel())
    found = np.bincount(bucket, realized.ravel())
    assert (np.abs(found - told) < 4 * np.sqrt(told) + 0.1 * told).all()


def test_consumable_is_wanted_when_it_runs_out(demo: Shop, demo_world: World) -> None:
    catalogue, past = demo_world.catalogue, demo_world.purchases
    start = demo_world.config.start
    # each first purchase of a consumable with a period of 24 days, on day 30 .. 50
    lasts = catalogue.period_days[past.item] == 24
    rows = np.flatnonzero(lasts & (past.day >= 30) & (past.day <= 50))[:20]
    assert len(rows) > 5
    for row in rows:
        user = demo_world.people.user_ids[past.user[row]]
        item = catalogue.item_ids[past.item[row]]
        just_bought, due = (
            demo_world.preference(
                [user], start + int(past.day[row] + days) * DAY, [item]
            )
            for days in (1, 16)
        )
        assert due[0, 0] > just_bought[0, 0]


def test_lasting_item_is_wanted_less_once_it_is_owned(demo_world: World) -> None:
    catalogue, past = demo_world.catalogue, demo_world.purchases
    lasts = catalogue.period_days[past.item] == 0
    rows = np.flatnonzero(lasts & (past.day >= 30) & (past.day <= 90))[:20]
    changes = []
    for row in rows:
        at = demo_world.config.start + int(past.day[row]) * DAY
        user = [demo_world.people.user_ids[past.user[row]]]
        item = [catalogue.item_ids[past.item[row]]]
        before = demo_world.preference(user, at, item)
        changes.append(demo_world.preference(user, at + DAY, item) / before)
    assert np.median(changes) < 0.3


def test_what_goes_along_with_a_purchase_is_wanted_for_ten_days(
    demo_world: World,
) -> None:
    catalogue, past = demo_world.catalogue, demo_world.purchases
    times = np.bincount(past.user, minlength=demo_world.people.num_users)
    rows = np.flatnonzero((times[past.user] == 1) & (past.day >= 20) & (past.day <= 80))
    soon, late = [], []
    for row in rows[:30]:
        along = catalogue.complement_group[catalogue.group[past.item[row]]]
        ids = [
            catalogue.item_ids[item]
            for item in np.flatnonzero(catalogue.group == along)
        ]
        user = [demo_world.people.user_ids[past.user[row]]]
        before, after, later = (
            demo_world.preference(
                user, demo_world.config.start + int(past.day[row] + days) * DAY, ids
            ).sum()
            for days in (0, 1, 12)
        )
        soon.append(after / before)
        late.append(later / before)

    # 35 % of ten days' sessions go there, of whom otherwise few want that group
    assert np.median(soon) > 2
    assert 0.5 < np.median(late) < 2


def test_unavailable_item_is_not_wanted(demo_world: World) -> None:
    late = np.flatnonzero(demo_world.catalogue.launch_day >= 60)[:50]
    ids = [demo_world.catalogue.item_ids[row] for row in late]
    users = demo_world.people.user_ids[:50]

    assert (demo_world.preference(users, demo_world.config.start, ids) == 0).all()


def test_columns_follow_the_items_asked_for(demo: Shop, demo_world: World) -> None:
    users, at = demo_world.people.user_ids[:3], demo.splits.test_start
    ids = demo_world.catalogue.item_ids
    whole = demo_world.preference(users, at)

    np.testing.assert_array_equal(
        demo_world.preference(users, at, [ids[7], ids[2]]), whole[:, [7, 2]]
    )
    assert demo_world.preference([], at).shape == (0, 5_000)


def test_time_outside_the_calendar_is_an_error(demo_world: World) -> None:
    with pytest.raises(ConfigError, match="inside the simulated calendar"):
        demo_world.preference(demo_world.people.user_ids[:1], 0)


def test_relevance_counts_what_the_query_names(demo: Shop, demo_world: World) -> None:
    items = demo.tables.items.to_pandas()
    ids = items["item_id"].tolist()
    style = items["title"].str.contains("Stainless Steel|不锈钢")
    size = items["title"].str.contains("500 ml|500毫升")
    leaf = items["category"] == "Kitchen > Bottles"

    grades = demo_world.relevance("stainless steel bottle 500 ml", ids)

    expected = np.where(leaf, 1 + style.astype(int) + size.astype(int), 0)
    np.testing.assert_array_equal(grades, expected)
    np.testing.assert_array_equal(demo_world.relevance("保温杯", ids), leaf * 3)
    assert not demo_world.relevance("submarine", ids).any()
