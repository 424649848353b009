"""The join in Beam gives what the plain function gives, whatever the buckets."""

from __future__ import annotations

import json
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pytest
from tfx.types.artifact_utils import decode_split_names
from tfx.types.standard_artifacts import Examples

from components import arrow_elements, data_artifacts
from components.join_history import (
    executor,
    join_in_beam,
    make_searches,
    searches_in_beam,
)
from components.join_history.make_moments import SPLITS, make_moments, moments_schema
from core.config.moments import MomentConfig
from core.config.searches import SearchMomentConfig
from tests.components import shop_tables
from trainer.data import examples


@pytest.mark.parametrize("num_buckets", [1, 3])
def test_buckets_and_shards_do_not_change_the_moments(
    tmp_path: Path, num_buckets: int
) -> None:
    events = shop_tables.events_table()
    uri = str(tmp_path / "events")
    examples.write_split(uri, "train", events.slice(0, 150), num_shards=3)
    examples.write_split(uri, "eval", events.slice(150), num_shards=2)
    config = MomentConfig(num_buckets=num_buckets)
    out = str(tmp_path / "moments")
    groups = arrow_elements.row_groups(uri, ["train", "eval"])
    assert len(groups) == 5
    with beam.Pipeline() as pipeline:
        _ = (
            pipeline
            | beam.Create(groups)
            | join_in_beam.BucketByUser(num_buckets, ["country"])
            | join_in_beam.JoinHistory(out, shop_tables.SPLITS, config, ["country"])
        )
    examples.fill_empty_splits(out, SPLITS, moments_schema(["country"]))
    expected = make_moments(events, shop_tables.SPLITS, config, ["country"])
    for split in SPLITS:
        assert _sorted(examples.read_split(out, split)) == _sorted(expected[split])


@pytest.mark.parametrize(("num_buckets", "limit"), [(1, 1_000), (3, 1_000), (3, 40)])
def test_buckets_do_not_change_which_search_pages_are_kept(
    tmp_path: Path, num_buckets: int, limit: int
) -> None:
    events = _searching_events()
    uri, out = str(tmp_path / "events"), str(tmp_path / "searches")
    examples.write_split(uri, "train", events, num_shards=4)
    sampled = SearchMomentConfig(max_pages_per_split=limit)
    config = MomentConfig(num_buckets=num_buckets, searches=sampled)
    types = shop_tables.SHOP.event_types
    with beam.Pipeline() as pipeline:
        _ = (
            pipeline
            | beam.Create(arrow_elements.row_groups(uri, ["train"]))
            | join_in_beam.BucketByUser(num_buckets, ["country"])
            | searches_in_beam.FindSearches(
                out, shop_tables.SPLITS, config, types, ["country"]
            )
        )
    expected = make_searches.make_searches(
        events, shop_tables.SPLITS, sampled, types, ["country"]
    )
    assert expected["train"].num_rows == min(limit, 8 * 21)  # days 72 .. 92
    for split in make_searches.SPLITS:
        assert _sorted(examples.read_split(out, split)) == _sorted(expected[split])


@pytest.mark.parametrize("with_queries", [True, False])
def test_the_executor_writes_moments_and_search_pages(
    tmp_path: Path, with_queries: bool
) -> None:
    events = _searching_events()
    if not with_queries:
        events = events.drop(["query", "position"])
    artifacts = {name: Examples() for name in ("events", "moments", "searches")}
    for name, artifact in artifacts.items():
        artifact.uri = str(tmp_path / name)
    examples.write_split(artifacts["events"].uri, "train", events)
    data_artifacts.mark_as_parquet(artifacts["events"], ["train"])
    shop = shop_tables.SHOP
    executor.Executor().Do(
        {"events": [artifacts["events"]]},
        {name: [artifacts[name]] for name in ("moments", "searches")},
        {
            "splits": shop_tables.SPLITS.to_json(),
            "config": MomentConfig().to_json(),
            "event_types": json.dumps(shop.event_types),
            "context_features": json.dumps(shop.context_features),
        },
    )
    schema = make_searches.searches_schema(shop.event_types, shop.context_features)
    for split in make_searches.SPLITS:
        table = examples.read_split(artifacts["searches"].uri, split)
        assert set(table.column_names) == set(schema.names)
        assert bool(table.num_rows) == with_queries
    assert examples.read_split(artifacts["moments"].uri, "train").num_rows > 0
    assert set(decode_split_names(artifacts["searches"].split_names)) == set(
        make_searches.SPLITS
    )


def _searching_events() -> pa.Table:
    """Every purchase of the corner shop came from a search, one a day."""
    events = shop_tables.events_table()
    count = events.num_rows
    for name, values in (
        ("query", pa.array(["tea", "mug"] * (count // 2))),
        ("session_id", pa.array([f"s{n}" for n in range(count)])),
        ("position", pa.array([n % 3 for n in range(count)], pa.int64())),
    ):
        index = events.column_names.index(name)
        events = events.set_column(index, name, values)
    return events


def test_a_user_falls_into_one_bucket_on_every_machine() -> None:
    users = pa.chunked_array([["u1", "u2"], ["u1", "ü"]])
    buckets = join_in_beam.bucket_of(users, 1000)
    assert buckets[0] == buckets[2]
    assert len(set(buckets)) == 3


def _sorted(table: pa.Table) -> list[tuple[object, ...]]:
    rows = [tuple(map(str, row.values())) for row in table.to_pylist()]
    return sorted(rows)
