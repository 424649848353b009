"""Item tables: as-of correctness, cold items, and the round trip through a file."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from core.config.neighbours import NeighboursConfig
from core.errors import ArtifactError, ConfigError, InputDataError
from tests.trainer.funnel import tiny_shop
from trainer.funnel.tables import ItemTables, _flat, build_item_tables

CONFIG = NeighboursConfig(num_neighbours=10, ease_lambda=5.0, title_dim=8)
AS_OF = tiny_shop.SPLITS.eval_start


def _build(events: pa.Table, **changes: object) -> ItemTables:
    return build_item_tables(
        tiny_shop.items(),
        events,
        as_of=AS_OF,
        shop=tiny_shop.SHOP,
        config=CONFIG.replace(**changes),
    )


def _assert_equal(left: ItemTables, right: ItemTables) -> None:
    for field in dataclasses.fields(ItemTables):
        pairs = [_flat(field.name, getattr(side, field.name)) for side in (left, right)]
        assert pairs[0].keys() == pairs[1].keys()
        for name, value in pairs[0].items():
            np.testing.assert_array_equal(value, pairs[1][name], err_msg=name)


def test_events_at_or_after_the_cutoff_change_nothing() -> None:
    events = tiny_shop.events()
    stamps = events.column("timestamp").to_numpy()
    before = events.filter(pa.array(stamps < AS_OF))
    assert 0 < before.num_rows < events.num_rows
    at_cutoff = before.slice(0, 1).set_column(
        events.schema.get_field_index("timestamp"), "timestamp", pa.array([AS_OF])
    )
    later = pa.concat_tables([events, at_cutoff])
    _assert_equal(_build(before), _build(later))


def test_unknown_items_and_event_types_are_left_out() -> None:
    events = tiny_shop.events()
    strange = events.slice(0, 2).set_column(1, "item_id", pa.array(["nope", "i00"]))
    strange = strange.set_column(2, "event", pa.array(["purchase", "gift"]))
    _assert_equal(_build(events), _build(pa.concat_tables([events, strange])))


def test_save_and_load_give_the_same_tables(tmp_path: Path) -> None:
    tables = _build(tiny_shop.events())
    assert tables.save(tmp_path / "as_of=1") == tmp_path / "as_of=1" / "tables.npz"
    _assert_equal(tables, ItemTables.load(tmp_path / "as_of=1"))


def test_a_missing_or_broken_file_is_an_artifact_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="ItemNeighbours"):
        ItemTables.load(tmp_path)
    (tmp_path / "tables.npz").write_bytes(b"not a zip")
    with pytest.raises(ArtifactError):
        ItemTables.load(tmp_path)


def test_cold_items_have_titles_but_no_popularity() -> None:
    tables = _build(tiny_shop.events())
    cold = tiny_shop.COLD
    assert tables.buyers[cold] == 0 and tables.popularity[30][cold] == 0
    assert np.linalg.norm(tables.title_vectors[cold]) == pytest.approx(1, abs=1e-5)
    assert (tables.neighbours["title"].rows[cold] < tables.num_items).any()
    assert (tables.neighbours["cf"].rows[cold] == tables.num_items).all()
    assert np.isfinite(tables.features).all()


def test_big_catalogues_get_cosine_in_place_of_ease() -> None:
    small = _build(tiny_shop.events())
    big = _build(tiny_shop.events(), ease_max_items=10)
    assert {"cf", "knn", "basket", "interest", "title"} <= set(big.neighbours)
    assert set(small.neighbours) - set(big.neighbours) == {"lately", "forecast"}
    np.testing.assert_array_equal(
        big.neighbours["interest"].scores, big.neighbours["knn"].scores
    )
    # Who buys what, whatever else they looked at.
    bought = np.zeros((20, tiny_shop.NUM_ITEMS))
    events = tiny_shop.events().to_pandas()
    events = events[(events.timestamp < AS_OF) & (events.event == "purchase")]
    bought[events.user_id.str[1:].astype(int), events.item_id.str[1:].astype(int)] = 1
    together = bought.T @ bought
    held = np.sqrt(np.outer(np.diag(together), np.diag(together)))
    expected = together / (held + CONFIG.shrinkage)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(
        big.neighbours["cf"].scores, -np.sort(-expected, axis=1)[:, :10], rtol=1e-4
    )
    np.testing.assert_array_equal(
        big.neighbours["knn"].scores, small.neighbours["knn"].scores
    )


def test_facets_give_unknown_values_zero() -> None:
    facets = _build(tiny_shop.events()).facets
    assert set(facets) == {"category", "department", "brand", "price_band"}
    assert facets["brand"][0] == 0 and facets["brand"][1] > 0
    assert facets["price_band"][7] == 0
    assert len(np.unique(facets["department"])) == 2


def test_a_shop_without_optional_columns_still_has_tables() -> None:
    items = tiny_shop.items().select(["item_id", "title"])
    tables = build_item_tables(
        items, tiny_shop.events(), as_of=AS_OF, shop=tiny_shop.SHOP, config=CONFIG
    )
    assert tables.facets == {} and (tables.prices == 0).all()


def test_no_event_before_the_cutoff_gives_empty_tables() -> None:
    tables = _build(tiny_shop.events().slice(0, 0))
    assert tables.buyers.sum() == 0 and np.isfinite(tables.features).all()


def test_an_item_listed_twice_is_refused() -> None:
    items = pa.concat_tables([tiny_shop.items(), tiny_shop.items().slice(3, 1)])
    with pytest.raises(InputDataError, match="i03"):
        build_item_tables(
            items, tiny_shop.events(), as_of=AS_OF, shop=tiny_shop.SHOP, config=CONFIG
        )


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ConfigError, match="popularity_days"):
        NeighboursConfig(popularity_days=(30, 7))
    with pytest.raises(ConfigError, match="ease_lambda"):
        NeighboursConfig(ease_lambda=0.0)


AS_OF, DAY = tiny_shop.T2, tiny_shop.DAY


def tables_of(rows):
    users, ids, kinds, days = zip(*rows, strict=True)
    events = pa.table(
        {
            "user_id": users,
            "item_id": ids,
            "event": kinds,
            "timestamp": pa.array([AS_OF - d * DAY for d in days], pa.int64()),
        }
    )
    return build_item_tables(
        tiny_shop.items(),
        events,
        as_of=AS_OF,
        shop=tiny_shop.SHOP,
        config=NeighboursConfig(
            num_neighbours=10, ease_lambda=5.0, title_dim=8, trend_days=7
        ),
    )


def test_what_was_only_viewed_has_been_seen():
    tables = tables_of([("a", "i00", "view", 3), ("b", "i01", "purchase", 2)])
    assert np.flatnonzero(tables.seen).tolist() == [0, 1]
    assert np.flatnonzero(tables.buyers).tolist() == [1]


def test_who_buys_again_does_not_make_an_item_trend():
    tables = tables_of(
        [
            ("a", "i00", "purchase", 30),
            ("a", "i00", "purchase", 2),  # a regular
            ("b", "i00", "purchase", 2),
            ("b", "i01", "purchase", 30),
        ]
    )
    assert tables.trending[:2].tolist() == [1.0, 0.0]


def test_what_was_viewed_lately_goes_with_what_else_was():
    """EASE in closed form over each pair's newest event of any type."""
    rows = [
        *[("a", "i00", "view", 30), ("a", "i00", "purchase", 3)],
        *[("a", "i01", "view", 2), ("b", "i01", "view", 50), ("b", "i02", "view", 1)],
        *[("c", "i00", "view", 9), ("c", "i02", "purchase", 200)],
    ]
    tables = tables_of(rows)
    newest = np.array([[3, 2, np.inf], [np.inf, 50, 1], [9, np.inf, 200]])
    held = np.exp(-newest / tables.config.lately_days)
    inverse = np.linalg.inv(held.T @ held + tables.config.lately_lambda * np.eye(3))
    expected = -inverse / np.diag(inverse) * (1 - np.eye(3))
    found = np.zeros((3, tables.num_items + 1))
    table = tables.neighbours["interest"]
    np.put_along_axis(found, table.rows[:3].astype(int), table.scores[:3], axis=1)
    np.testing.assert_allclose(
        found[:, :3], np.maximum(expected, 0), rtol=1e-4, atol=1e-8
    )
    # Nobody bought i01; views alone give it a taste.
    assert np.abs(tables.factors_in[1]).max() > 0
    assert tables.buyers[1] == 0
