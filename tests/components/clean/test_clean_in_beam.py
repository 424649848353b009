"""Cleaning in Beam gives what the plain function gives, whatever the buckets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tfx.types import standard_artifacts

from components import arrow_elements, data_artifacts
from components.clean import clean_in_beam, executor
from components.clean.clean_tables import clean_tables
from components.clean.split_events import SPLITS, split_events
from core.config.clean import CleanConfig
from core.errors import InputDataError
from tests.components import shop_tables
from tests.components.shop_tables import DAY, SHOP, as_table, event
from trainer.data import examples

LATEST = shop_tables.T2 * 9


def _dirty_events() -> pa.Table:
    """Four weeks of thirty users with every kind of row that is rejected or clipped."""
    random = np.random.default_rng(3)
    rows = [
        event(
            f"u{random.integers(30):02d}",
            f"i{random.integers(8)}",  # of six known ones
            int((72 + random.integers(35)) * DAY + random.integers(40)),
            quantity=float(random.choice([1.0, 2.0, 3.0, 80_995.0])),
            price=float(random.choice([9.5, 9.5, 9.5, 9_500.0])),
        )
        for _ in range(3_000)
    ]
    rows += [rows[n] for n in range(0, 600, 3)]  # far apart: other row groups
    rows += [event("bot", "i1", 80 * DAY + n * 7) for n in range(1_500)]
    rows += [event(None, "i1", 75 * DAY), event("", "i1", 75 * DAY)] * 5
    order = random.permutation(len(rows))
    return as_table("events", [rows[n] for n in order])


@pytest.mark.parametrize("events_per_bucket", [10_000, 2_000, 700, 100])
def test_buckets_do_not_change_what_is_kept_clipped_and_counted(
    tmp_path: Path, events_per_bucket: int
) -> None:
    items, events = shop_tables.items_table(), _dirty_events()
    config = CleanConfig(
        bot_events_per_hour=400,
        bot_hours=2,
        latest_timestamp=LATEST,
        events_per_bucket=events_per_bucket,
    )
    found = _run(tmp_path, items, events, config)
    expected = clean_tables(items, events, SHOP, config, LATEST)
    parts = split_events(expected.events, shop_tables.SPLITS)
    for split in SPLITS:  # in the order of the files: sorted by user
        assert examples.read_split(found["events"], split).equals(parts[split])
    rejected = pq.read_table(Path(found["rejected"]) / data_artifacts.REJECTED_FILE)
    assert _sorted(rejected) == _sorted(expected.rejected)
    text = (Path(found["summary"]) / data_artifacts.SUMMARY_FILE).read_text("utf-8")
    counted = json.loads(text)["events"]
    for name, value in expected.summary["events"].items():
        assert counted[name] == value, name
    assert min(counted["winsorized"].values()) > 0
    assert counted["rejected"]["bot-like user"] == 1_500
    assert counted["users"] == 30
    assert counted["splits"] == {name: part.num_rows for name, part in parts.items()}
    shards = len(list(Path(found["events"]).glob("Split-train/*.parquet")))
    assert (shards > 1) == (events_per_bucket < 10_000)


def test_nothing_left_of_a_log_is_explained(tmp_path: Path) -> None:
    events = as_table("events", [event("u", "x", 1), event("u", "y", 1)])
    with pytest.raises(InputDataError, match=r"`events`.*0 of 2 \(2 x item not in"):
        _run(tmp_path, shop_tables.items_table(), events, CleanConfig())


def test_buckets_hold_ranges_of_users_of_about_equal_events(tmp_path: Path) -> None:
    # One user has half of all events: nobody shares the bucket that starts with it.
    users = [f"u{n:03d}" for n in range(100)] * 5 + ["u050"] * 500
    table = as_table("events", [event(user, "i1", 1) for user in users])
    uri = shop_tables.write_examples(tmp_path / "raw", train=table)
    groups = arrow_elements.row_groups(uri, ["train"])
    boundaries = clean_in_beam.user_boundaries(groups, 4)
    # Places 250, 500 and 750 of the sorted 1,000: 250 = 5 * 50 is the first of u050,
    # which reaches to place 754.
    assert boundaries == ("u050",)
    column = pa.chunked_array([["u000", "u049", "u050", "u999", None, "é"]])
    assert clean_in_beam.bucket_of(column, boundaries).tolist() == [0, 0, 1, 1, 0, 1]


def _run(
    folder: Path, items: pa.Table, events: pa.Table, config: CleanConfig
) -> dict[str, str]:
    """Runs the executor on two shards of events; uris of its outputs."""
    inputs = {name: standard_artifacts.Examples() for name in ("items", "events")}
    for name, table, shards in (("items", items, 1), ("events", events, 4)):
        inputs[name].uri = str(folder / f"raw_{name}")
        examples.write_split(inputs[name].uri, "train", table, shards)
        data_artifacts.mark_as_parquet(inputs[name], ["train"])
    outputs: dict[str, Any] = {
        "items": standard_artifacts.Examples(),
        "events": standard_artifacts.Examples(),
        "rejected": data_artifacts.RejectedRows(),
        "summary": data_artifacts.CleanSummary(),
    }
    for name, artifact in outputs.items():
        artifact.uri = str(folder / name)
    executor.Executor().Do(
        {"raw_items": [inputs["items"]], "raw_events": [inputs["events"]]},
        {name: [artifact] for name, artifact in outputs.items()},
        {
            "shop": SHOP.to_json(),
            "splits": shop_tables.SPLITS.to_json(),
            "config": config.to_json(),
            "adapter_rejected": "",
        },
    )
    assert not (folder / "events" / ".staging").exists()
    return {name: artifact.uri for name, artifact in outputs.items()}


def _sorted(table: pa.Table) -> list[tuple[object, ...]]:
    return sorted(tuple(row.values()) for row in table.to_pylist())
