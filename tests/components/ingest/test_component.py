"""Ingest inside TFX: spans, versions, cache, and errors that keep their type."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.ingest.component import Ingest
from core.errors import ConfigError, InputDataError
from tests.components import runs, shop_tables
from trainer.data import examples

PATTERN = "span-{SPAN}/v{VERSION}/events*.parquet"


def _span(folder: Path, span: int, version: int, table: pa.Table) -> Path:
    where = folder / f"span-{span}" / f"v{version}"
    where.mkdir(parents=True)
    pq.write_table(table, where / "events.parquet")
    return where / "events.parquet"


def test_newest_version_of_newest_span_is_read_and_cached(tmp_path: Path) -> None:
    events = shop_tables.events_table()
    _span(tmp_path / "in", 1, 7, events.slice(0, 3))
    _span(tmp_path / "in", 2, 1, events.slice(0, 4))
    newest = _span(tmp_path / "in", 2, 3, events)

    def run() -> str:
        node = Ingest(
            "events", str(tmp_path / "in"), PATTERN, context_features=["country"]
        )
        runs.run_nodes(tmp_path, [node])
        return runs.output_uri(tmp_path, "Ingest", "examples")

    rows = examples.read_split(run(), "train")
    assert rows.to_pydict() == events.to_pydict()
    os.utime(newest, (1, 1))  # written again, same content
    run()
    assert runs.execution_states(tmp_path) == {"Ingest": ["COMPLETE", "CACHED"]}
    artifact = runs.newest_artifact(tmp_path, "Examples")
    assert artifact.properties["span"].int_value == 2
    assert artifact.properties["version"].int_value == 3


def test_every_malformed_file_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    header = "user_id,item_id,event,timestamp\n"
    (folder / "events1.csv").write_text(header + "a,b,view,x\n")
    (folder / "events2.csv").write_text(header + "a,b,view,1\n")
    (folder / "events3.csv").write_text(header + "a,b\n")
    with pytest.raises(
        InputDataError, match=r"(?s)events1\.csv.*events3\.csv"
    ) as error:
        runs.run_nodes(tmp_path, [Ingest("events", str(folder), "events*.csv")])
    assert "events2.csv" not in str(error.value)


def test_errors_inside_beam_keep_their_type(tmp_path: Path) -> None:
    # The header is right; only reading the rows shows that the encoding is not.
    table = pa.table(
        {
            "user_id": pa.array([b"a", b"\xff"]),
            "item_id": ["i", "j"],
            "event": ["view", "view"],
            "timestamp": [1, 2],
        }
    )
    pq.write_table(table, tmp_path / "events.parquet")
    with pytest.raises(InputDataError, match=r"`user_id` must be string.*UTF8"):
        runs.run_nodes(tmp_path, [Ingest("events", str(tmp_path))])


def test_missing_files_and_spans_are_explained(tmp_path: Path) -> None:
    with pytest.raises(InputDataError, match="At least one file must match"):
        runs.run_nodes(tmp_path, [Ingest("items", str(tmp_path))])
    with pytest.raises(InputDataError, match="SPAN"):
        runs.run_nodes(tmp_path, [Ingest("events", str(tmp_path), PATTERN)])


def test_unknown_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="items, events, judgments"):
        Ingest("orders", str(tmp_path))
