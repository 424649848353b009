"""Where a step writes, nothing else lies: through ML Metadata, on real folders."""

from pathlib import Path

import pyarrow as pa
import pytest
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.types.standard_artifacts import Examples

from components.report.lineage import read_lineage
from pipeline.local.dag import DagRunner
from trainer.data.examples import read_split, write_split


@component
def Write(examples: OutputArtifact[Examples], first: Parameter[int]):
    """Rows FIRST .. 4, a file each."""
    rows = pa.table({"row": range(first, 5)})
    write_split(examples.uri, "train", rows, num_shards=5 - first)


def run(folder: Path, first: int, jobs: int = 1) -> None:
    store = sqlite_metadata_connection_config(str(folder / "metadata.sqlite"))
    pipeline = Pipeline(
        pipeline_name="test",
        pipeline_root=str(folder / "tfx"),
        components=[Write(first=first)],
        enable_cache=True,
        metadata_connection_config=store,
    )
    DagRunner(jobs).run(pipeline)


def newest(folder: Path) -> tuple[str, str, list[int]]:
    """Of the newest run's step: its state, its folder's name, its rows."""
    (execution,) = read_lineage(folder / "metadata.sqlite")
    uri = execution.outputs[0].uri
    rows = read_split(uri, "train")["row"].to_pylist()
    return execution.state, Path(uri).name, rows


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_lost_store_does_not_bring_old_rows_back(tmp_path: Path, jobs: int) -> None:
    run(tmp_path, 1)
    assert newest(tmp_path) == ("complete", "1", [1, 2, 3, 4])
    (tmp_path / "metadata.sqlite").unlink()
    run(tmp_path, 3, jobs)
    assert newest(tmp_path) == ("complete", "1", [3, 4])  # the same folder


def test_what_comes_from_the_cache_stays(tmp_path: Path) -> None:
    run(tmp_path, 3)
    run(tmp_path, 1)
    run(tmp_path, 3)
    assert newest(tmp_path) == ("cached", "1", [3, 4])
