"""Ranker rows of search pages, by hand on two pages of the world of words."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from core.config import ShopConfig
from tests.trainer.search import funnel_world as world
from tests.trainer.search.funnel_world import DAY, NOW
from trainer.funnel.candidates import LOWEST
from trainer.funnel.ranker_rows import RankerRows
from trainer.search.mine_pages import (
    EncodedPages,
    encode_pages,
    fusion_batches_of_pages,
    mine_pages,
    page_step,
    search_events,
)
from trainer.search.position_bias import Propensities
from trainer.search.search_funnel import SIGNALS, SearchFunnel

# Slot 3 is hardly looked at: 1 / .05 is cut at 10.
PROPENSITIES = Propensities(np.array([1.0, 0.5, 0.25, 0.05]), np.ones(4, np.int64))
# Item, position, click, purchase.
RED_MUG = (
    ("i00", 0, 1, 0),
    ("i01", 1, 0, 0),
    ("gone", 2, 1, 0),
    ("i09", 3, 1, 1),
)
LAMP = (("i04", -1, 0, 1), ("i05", 2, 1, 0))
GAINS = {
    "red mug": {0: 1.0 / 1.0, 1: 0.0, 9: (1.0 + 2.0) * 10.0},
    "lamp": {4: 2.0 * 1.0, 5: 1.0 / 0.25},  # an unknown slot counts as the first
}
_TYPES = {
    "timestamp": pa.int64(),
    "cutoff": pa.int64(),
    "history_item_ids": pa.list_(pa.string()),
    "history_events": pa.list_(pa.string()),
    "history_timestamps": pa.list_(pa.int64()),
    "shown_item_ids": pa.list_(pa.string()),
    "shown_positions": pa.list_(pa.int64()),
    "shown_click": pa.list_(pa.int64()),
    "shown_purchase": pa.list_(pa.int64()),
}


def page(
    query: str, shown: tuple, history: tuple = (), after: int = 100
) -> dict[str, Any]:
    """A page `after` seconds after NOW, the cut-off; history: item, event, time."""
    items, positions, clicks, purchases = (list(column) for column in zip(*shown))  # noqa: B905
    return {
        "user_id": "someone",
        "timestamp": NOW + after,
        "cutoff": NOW,
        "query": query,
        "session_id": None,
        "history_item_ids": [item for item, _, _ in history],
        "history_events": [event for _, event, _ in history],
        "history_timestamps": [time for *_, time in history],
        "shown_item_ids": items,
        "shown_positions": positions,
        "shown_click": clicks,
        "shown_purchase": purchases,
    }


def table(*pages: dict[str, Any]) -> pa.Table:
    names = page("", RED_MUG)
    return pa.table(
        {
            name: pa.array([p[name] for p in pages], _TYPES.get(name, pa.string()))
            for name in names
        }
    )


HISTORY = (("i02", "purchase", NOW - 5 * DAY), ("nobody", "view", NOW - DAY))
TWO = table(page("red mug", RED_MUG, HISTORY), page("lamp", LAMP, after=700))


def encoded(pages: pa.Table = TWO) -> EncodedPages:
    return encode_pages(pages, world.ITEM_IDS, world.SHOP)


@pytest.fixture(scope="module")
def search() -> SearchFunnel:
    return world.search_funnel()


@pytest.fixture(scope="module")
def mine(search: SearchFunnel) -> Any:
    """Mines pages, eagerly: tracing the graph takes longer than all of them."""
    run = page_step(search).python_function

    def mined(pages: EncodedPages, *, sample: bool = False, size: int = 32) -> Any:
        default = search.config
        search.config = default.replace(max_rows_per_page=size)
        try:
            return mine_pages(pages, search, PROPENSITIES, sample=sample, run=run)
        finally:
            search.config = default

    return mined


@pytest.fixture(scope="module")
def rows(mine: Any) -> RankerRows:
    return mine(encoded())


def of_page(rows: RankerRows, number: int, name: str) -> dict[int, Any]:
    """Catalogue row → value of one page; shorter histories come first."""
    own = rows.group == number
    return dict(zip(rows.rows[own].tolist(), getattr(rows, name)[own], strict=True))


def assert_same_features(found: dict[int, Any], expected: dict[int, Any]) -> None:
    assert found.keys() <= expected.keys()
    for row, values in found.items():
        np.testing.assert_allclose(values, expected[row], rtol=1e-4, atol=1e-4)


LAMP_PAGE, RED_MUG_PAGE = 0, 1


def test_pages_are_encoded_as_they_were_shown() -> None:
    pages = encoded()
    assert len(pages) == 2
    assert pages.event_types == ("click", "purchase")
    assert pages.queries.tolist() == ["red mug", "lamp"]
    np.testing.assert_array_equal(pages.offsets, [0, 4, 6])
    np.testing.assert_array_equal(pages.rows, [0, 1, world.N, 9, 4, 5])
    np.testing.assert_array_equal(pages.positions, [0, 1, 2, 3, -1, 2])
    clicked, bought = [1, 0, 1, 1, 0, 1], [0, 0, 0, 1, 1, 0]
    np.testing.assert_array_equal(pages.happened, np.stack([clicked, bought], axis=1))


def test_a_part_of_a_table_is_encoded_as_the_part_alone() -> None:
    alone, part = encoded(table(page("lamp", LAMP))), encoded(TWO.slice(1))
    for name in ("queries", "offsets", "rows", "positions", "happened"):
        np.testing.assert_array_equal(getattr(part, name), getattr(alone, name))


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (("view", "click", "purchase"), ("click", "purchase")),
        (("view", "click", "cart", "purchase"), ("click", "cart", "purchase")),
        (("purchase",), ("purchase",)),
        (("view",), ("view",)),  # nothing is told of pages: the target, all zeros
    ],
)
def test_events_that_tell_of_a_shown_item(types: tuple, expected: tuple) -> None:
    weights = tuple(1.0 for _ in types)
    shop = ShopConfig(
        name="s", event_types=types, event_weights=weights, target_event=types[-1]
    )
    assert search_events(shop) == expected


def test_gains_are_worth_over_propensity(rows: RankerRows) -> None:
    for number, query in ((LAMP_PAGE, "lamp"), (RED_MUG_PAGE, "red mug")):
        gains = of_page(rows, number, "gains")
        assert set(GAINS[query]) <= set(gains)
        for row, gain in gains.items():
            assert gain == pytest.approx(GAINS[query].get(row, 0.0)), (query, row)


def test_labels_are_what_happened_on_the_page(rows: RankerRows) -> None:
    happened = {
        LAMP_PAGE: {4: (0, 1), 5: (1, 0)},
        RED_MUG_PAGE: {0: (1, 0), 9: (1, 1)},
    }
    for number, expected in happened.items():
        for row, label in of_page(rows, number, "labels").items():
            assert tuple(label) == expected.get(row, (0, 0))


def test_owned_stands_for_not_shown(rows: RankerRows) -> None:
    for number, shown in ((LAMP_PAGE, {4, 5}), (RED_MUG_PAGE, {0, 1, 9})):
        unshown = of_page(rows, number, "owned")
        assert {row for row, is_unshown in unshown.items() if not is_unshown} == shown


def test_rows_are_the_search_s_candidates(
    rows: RankerRows, search: SearchFunnel
) -> None:
    assert set(of_page(rows, LAMP_PAGE, "rows")) == set(world.found(search, "lamp"))
    assert world.N not in rows.rows  # "gone" is no row
    assert rows.features.shape == (len(rows.rows), len(search.feature_names))


def test_pages_keep_the_cut_off_of_their_tables(rows: RankerRows) -> None:
    # Not the second they were seen: the ranker counts cut-offs.
    np.testing.assert_array_equal(rows.cutoff, [NOW, NOW])


def test_items_of_each_event_are_counted_found_or_not(rows: RankerRows) -> None:
    # Clicks and purchases; "gone" was clicked too.
    np.testing.assert_array_equal(rows.truth_size, [[1, 1], [3, 1]])


def test_sampling_keeps_what_was_clicked_then_what_was_shown(mine: Any) -> None:
    for size, kept in ((4, {0, 1, 9}), (3, {0, 1, 9}), (2, {0, 9})):
        rows = mine(encoded(), sample=True, size=size)
        found = of_page(rows, RED_MUG_PAGE, "gains")
        assert len(found) == size and kept <= set(found)
        assert {r: found[r] for r in (0, 9)} == pytest.approx({0: 1.0, 9: 30.0})
        assert not any(of_page(rows, RED_MUG_PAGE, "owned")[row] for row in kept)


def test_every_page_is_mined_once_whatever_the_batches(
    mine: Any, search: SearchFunnel
) -> None:
    pages = [page(f"red {n}", RED_MUG, HISTORY[: n % 3], after=n) for n in range(13)]
    before = search.config
    for batch, size in ((4, 2), (4, 8), (32, 4)):
        search.config = before.replace(mining_batch=batch)
        try:
            rows = mine(encoded(table(*pages)), sample=True, size=size)
        finally:
            search.config = before
        assert len(rows.truth_size) == 13
        assert set(rows.group) == set(range(13))


def test_sampled_features_stay_with_their_rows(
    mine: Any, rows: RankerRows, search: SearchFunnel
) -> None:
    part = of_page(mine(encoded(), sample=True, size=4), RED_MUG_PAGE, "features")
    assert len(part) == 4
    assert_same_features(part, of_page(rows, RED_MUG_PAGE, "features"))


def test_a_page_does_not_see_its_own_events(
    mine: Any, rows: RankerRows, search: SearchFunnel
) -> None:
    """What happened on the page, or later, in the history changes no feature."""
    own = ("i09", "purchase", NOW + 100), ("i04", "purchase", NOW + 90_000)
    leaked = mine(encoded(table(page("red mug", RED_MUG, (*HISTORY, *own)))))
    expected = of_page(rows, RED_MUG_PAGE, "features")
    assert_same_features(of_page(leaked, 0, "features"), expected)
    # The same purchase a second before the page is history.
    before = (*HISTORY, ("i09", "purchase", NOW + 99))
    known = mine(encoded(table(page("red mug", RED_MUG, before))))
    owned = search.feature_names.index("owned")
    assert of_page(known, 0, "features")[9][owned] == 1.0
    assert expected[9][owned] == 0.0


def test_what_happened_is_no_feature(
    mine: Any, rows: RankerRows, search: SearchFunnel
) -> None:
    untouched = tuple((item, slot, 0, 0) for item, slot, *_ in RED_MUG)
    again = mine(encoded(table(page("red mug", untouched, HISTORY))))
    assert not again.gains.any() and not again.labels.any()
    expected = of_page(rows, RED_MUG_PAGE, "features")
    assert_same_features(of_page(again, 0, "features"), expected)


def test_the_fusion_learns_from_what_may_be_on_the_page(search: SearchFunnel) -> None:
    (batch,) = fusion_batches_of_pages(encoded(), search, PROPENSITIES, limit=9)
    may_be = batch.offsets > LOWEST / 2
    # Red things and mugs; lamps, and the chair that was clicked for them.
    assert may_be.sum(axis=1).tolist() == [6, 3]
    assert not batch.labels[~may_be].any()
    for labels, query in zip(batch.labels, ("red mug", "lamp"), strict=True):
        expected = [gain for gain in GAINS[query].values() if gain > 0]
        np.testing.assert_allclose(np.sort(labels[labels > 0]), np.sort(expected))
    assert batch.shares.shape == (2, len(SIGNALS), may_be.shape[1])
    assert batch.shares.min() >= 0 and batch.shares.max() <= 1
    bm25 = batch.shares[0, SIGNALS.index("bm25")]
    assert bm25.max() == 1 and batch.labels[0, bm25.argmax()] == GAINS["red mug"][0]
    lamps = batch.shares[1, SIGNALS.index("dense")][may_be[1]]
    np.testing.assert_allclose(np.sort(lamps), [0.0, 0.6, 0.9], atol=1e-3)


def test_as_many_pages_as_asked_for_teach_the_fusion(search: SearchFunnel) -> None:
    many = encoded(table(*[page("lamp", LAMP)] * 40))
    batches = fusion_batches_of_pages(many, search, PROPENSITIES, limit=35)
    assert [len(batch.labels) for batch in batches] == [32, 3]


def test_no_pages_give_no_rows(mine: Any, search: SearchFunnel) -> None:
    empty = mine(encoded(TWO.slice(0, 0)), sample=True)
    assert empty.features.shape == (0, len(search.feature_names))
    assert empty.labels.shape == (0, 2) and len(empty.gains) == 0


def test_rows_with_gains_survive_a_file(rows: RankerRows, tmp_path) -> None:
    rows.save(tmp_path / "with.npz")
    np.testing.assert_array_equal(
        RankerRows.load(tmp_path / "with.npz").gains, rows.gains
    )
    dataclasses.replace(rows, gains=None).save(tmp_path / "without.npz")
    assert RankerRows.load(tmp_path / "without.npz").gains is None
