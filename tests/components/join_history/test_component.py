"""The join in Beam gives what the plain function gives, whatever the buckets."""

from __future__ import annotations

from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pytest

from components.join_history import executor, join_in_beam
from components.join_history.make_moments import SPLITS, make_moments, moments_schema
from core.config.moments import MomentConfig
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
    groups = join_in_beam.row_groups(uri, ["train", "eval"])
    assert len(groups) == 5
    with beam.Pipeline() as pipeline:
        _ = (
            pipeline
            | beam.Create(groups)
            | join_in_beam.BucketByUser(num_buckets, ["country"])
            | join_in_beam.JoinHistory(out, shop_tables.SPLITS, config, ["country"])
        )
    executor.fill_empty_splits(out, SPLITS, moments_schema(["country"]))
    expected = make_moments(events, shop_tables.SPLITS, config, ["country"])
    for split in SPLITS:
        assert _sorted(examples.read_split(out, split)) == _sorted(expected[split])


def test_a_user_falls_into_one_bucket_on_every_machine() -> None:
    users = pa.chunked_array([["u1", "u2"], ["u1", "ü"]])
    buckets = join_in_beam.bucket_of(users, 1000)
    assert buckets[0] == buckets[2]
    assert len(set(buckets)) == 3


def _sorted(table: pa.Table) -> list[tuple[object, ...]]:
    rows = [tuple(map(str, row.values())) for row in table.to_pylist()]
    return sorted(rows)
