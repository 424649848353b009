"""Joins the history of one user who has nearly every event; prints what it took.

    python -m tests.components.join_history.hot_user FOLDER NUM_EVENTS

A process of its own, so that its peak memory is the join's. JSON: bytes that the join
added to the process, and of the hot user's moments the number and the longest history.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow as pa

from components import arrow_elements
from components.join_history import join_in_beam, make_moments, searches_in_beam
from core.config.moments import MomentConfig
from tests.components.shop_tables import DAY, SHOP, SPLITS
from trainer.data import examples

NUM_OTHERS = 500


def main() -> None:
    """Writes the events, joins them, reads the moments."""
    folder, num_events = Path(sys.argv[1]), int(sys.argv[2])
    uri, out = str(folder / "events"), str(folder / "moments")
    examples.write_split(uri, "train", _events(num_events), num_shards=4)
    config = MomentConfig()
    before = _peak_bytes()
    with beam.Pipeline() as pipeline:
        buckets = (
            pipeline
            | beam.Create(arrow_elements.row_groups(uri, ["train"]))
            | join_in_beam.BucketByUser(config.num_buckets, ["country"])
        )
        _ = buckets | join_in_beam.JoinHistory(out, SPLITS, config, ["country"])
        _ = buckets | searches_in_beam.FindSearches(
            str(folder / "searches"), SPLITS, config, SHOP.event_types, ["country"]
        )
    added = _peak_bytes() - before
    schema = make_moments.moments_schema(["country"])
    examples.fill_empty_splits(out, make_moments.SPLITS, schema)
    hot: list[int] = []
    for split in make_moments.SPLITS:
        table = examples.read_split(out, split, ["user_id", "history_item_ids"])
        hot += [
            len(row["history_item_ids"])
            for row in table.to_pylist()
            if row["user_id"] == "hot"
        ]
    print(json.dumps({"added": added, "moments": len(hot), "longest": max(hot)}))


def _events(num_events: int) -> pa.Table:
    """A hot user, 500 others of one event each; one item in nine of ten events."""
    random = np.random.default_rng(0)
    users = ["hot"] * (num_events - NUM_OTHERS)
    users += [f"u{n}" for n in range(NUM_OTHERS)]
    items = np.where(random.random(num_events) < 0.9, 0, random.integers(1, 6))
    return pa.table(
        {
            "user_id": users,
            "item_id": [f"i{n}" for n in items],
            "event": ["view"] * num_events,
            "timestamp": random.integers(60 * DAY, 110 * DAY, num_events),
            "session_id": [f"s{n // 7}" for n in range(num_events)],
            "query": ["tea"] * num_events,
            "position": pa.array(np.arange(num_events) % 6, pa.int64()),
            "country": ["FR"] * num_events,
        }
    )


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
