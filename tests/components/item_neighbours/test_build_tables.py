"""Query clicks and propensities stand beside the item tables of every cut-off."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from components.item_neighbours.build_tables import (
    build_tables,
    cutoffs_of,
    table_dir,
)
from core.config.neighbours import NeighboursConfig
from tests.components.shop_tables import write_examples
from tests.trainer.funnel import tiny_shop
from trainer.funnel.tables import ItemTables
from trainer.search.position_bias import Propensities
from trainer.search.query_clicks import QueryClicks

CONFIG = NeighboursConfig(num_neighbours=10, ease_lambda=5.0, title_dim=8)
SPLITS = tiny_shop.SPLITS.replace(num_cutoffs=3)


def _build(folder: Path, events: pa.Table, config: NeighboursConfig = CONFIG) -> Path:
    items = write_examples(folder / "items", train=tiny_shop.items())
    build_tables(
        items,
        write_examples(folder / "events", train=events),
        ["train"],
        str(folder / "tables"),
        shop=tiny_shop.SHOP,
        splits=SPLITS,
        config=config,
    )
    return folder / "tables"


def test_each_cutoff_counts_the_searches_before_it(tmp_path: Path) -> None:
    events = tiny_shop.events()
    queries = ["red things" if n % 2 else None for n in range(events.num_rows)]
    events = events.append_column("query", pa.array(queries, pa.string()))
    tables = _build(tmp_path, events)
    stamps = events.column("timestamp").to_numpy()
    users = np.asarray(events.column("user_id").to_pylist())
    rows = np.asarray(events.column("item_id").to_pylist())
    for cutoff in cutoffs_of(tiny_shop.SHOP, SPLITS):
        clicks = QueryClicks.load(table_dir(tables, cutoff))
        assert clicks.as_of == cutoff and clicks.num_items == tiny_shop.NUM_ITEMS
        assert clicks.queries == ("red thing",)
        # Events are hours apart and there is no session: nearly every one is a page.
        early = (stamps < cutoff) & np.asarray([q is not None for q in queries])
        expected = _distinct_visits(users[early], rows[early], stamps[early])
        assert round(float(np.expm1(clicks.counts).sum())) == expected
        # No position is known, so nothing is known of its bias.
        np.testing.assert_array_equal(
            Propensities.load(table_dir(tables, cutoff)).values, 1.0
        )


def _distinct_visits(users: np.ndarray, rows: np.ndarray, stamps: np.ndarray) -> int:
    """(page, item) pairs; a page ends where a user pauses for over half an hour."""
    found = set()
    last: dict[str, tuple[int, int]] = {}
    for user, row, stamp in sorted(zip(users, rows, stamps, strict=True), key=_by_time):
        number, before = last.get(user, (0, -(10**9)))
        number += int(stamp - before > 1_800)
        last[user] = (number, int(stamp))
        found.add((user, number, row))
    return len(found)


def _by_time(event: tuple[str, str, int]) -> int:
    return int(event[2])


@pytest.mark.parametrize("query", [False, True])
def test_a_shop_without_queries_has_empty_files(tmp_path: Path, query: bool) -> None:
    events = tiny_shop.events()
    if query:
        events = events.append_column("query", pa.nulls(events.num_rows, pa.string()))
    tables = _build(tmp_path, events)
    for cutoff in cutoffs_of(tiny_shop.SHOP, SPLITS):
        assert QueryClicks.load(table_dir(tables, cutoff)).queries == ()
        assert Propensities.load(table_dir(tables, cutoff)).values.tolist() == [1.0]


def test_without_a_log_there_is_one_neutral_set_of_tables(tmp_path: Path) -> None:
    (folder,) = build_tables(
        write_examples(tmp_path / "items", train=tiny_shop.items()),
        write_examples(tmp_path / "events", train=tiny_shop.events().slice(0, 0)),
        ["train"],
        str(tmp_path / "tables"),
        shop=tiny_shop.SHOP.replace(has_events=False),
        splits=SPLITS,
        config=CONFIG.replace(ease_max_items=0),
    )
    assert folder.name == f"as_of={SPLITS.test_start}"
    tables = ItemTables.load(folder)
    for name, found in tables.neighbours.items():
        assert (found.scores > 0).any() == (name == "title")
    for counts in (tables.buyers, tables.seen, tables.trending, tables.repeat_gaps):
        assert not counts.any()
    assert np.isfinite(tables.features).all()
    assert np.ptp(tables.trend) == 0  # nothing rises over another
    assert QueryClicks.load(folder).queries == ()


def test_of_a_large_log_a_share_of_the_users_is_counted(tmp_path: Path) -> None:
    events = tiny_shop.events()
    half = events.num_rows // 2
    names = sorted(set(events.column("user_id").to_pylist()))
    share = half / events.num_rows
    inside = [u for u in names if zlib.crc32(u.encode()) < share * 2**32]
    assert 0 < len(inside) < len(names)
    theirs = events.filter(pc.is_in(events.column("user_id"), pa.array(inside)))
    sampled = _build(tmp_path / "sampled", events, CONFIG.replace(max_events=half))
    expected = _build(tmp_path / "theirs", theirs)
    for cutoff in cutoffs_of(tiny_shop.SHOP, SPLITS):
        found, known = (
            ItemTables.load(table_dir(tables, cutoff)) for tables in (sampled, expected)
        )
        for name, values in found.popularity.items():
            np.testing.assert_array_equal(values, known.popularity[name])
