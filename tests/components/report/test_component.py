from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.types import standard_artifacts

from components.data_artifacts import CleanSummary, RejectedRows
from components.gates.artifacts import GateVerdicts
from components.report.artifacts import HtmlReport
from components.report.component import Report
from components.report.lineage import read_lineage


def _artifact(kind, folder: Path):
    folder.mkdir(parents=True, exist_ok=True)
    artifact = kind()
    artifact.uri = str(folder)
    return artifact


def _execution(store, contexts, kind, state, artifact):
    event = mlmd.Event(type=mlmd.Event.OUTPUT)
    event.path.steps.add().key = "examples"
    execution = mlmd.Execution(type_id=kind, last_known_state=state)
    store.put_execution(execution, [(artifact, event)], contexts)


@pytest.fixture
def metadata_path(tmp_path):
    """Two runs: the first makes an artifact, the second uses it from the cache."""
    path = tmp_path / "metadata.sqlite"
    config = mlmd.ConnectionConfig()
    config.sqlite.filename_uri = str(path)
    config.sqlite.connection_mode = 3  # READWRITE_OPENCREATE
    store = MetadataStore(config)
    types = {
        name: store.put_context_type(mlmd.ContextType(name=name))
        for name in ("pipeline_run", "node")
    }
    node = mlmd.Context(type_id=types["node"], type="node", name="souk.Clean")
    kind = store.put_execution_type(mlmd.ExecutionType(name="Clean"))
    examples = store.put_artifact_type(mlmd.ArtifactType(name="Examples"))
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "part").write_bytes(b"x" * 1234)
    artifact = mlmd.Artifact(type_id=examples, uri=str(folder))
    (artifact.id,) = store.put_artifacts([artifact])
    for number, state in ((1, mlmd.Execution.COMPLETE), (2, mlmd.Execution.CACHED)):
        run = mlmd.Context(
            type_id=types["pipeline_run"], type="pipeline_run", name=f"run-{number}"
        )
        _execution(store, [run, node], kind, state, artifact)
        node = store.get_context_by_type_and_name("node", "souk.Clean")
    return path


def test_lineage_is_of_the_newest_run(metadata_path):
    (record,) = read_lineage(metadata_path)
    assert record.component == "Clean"
    assert record.state == "cached"
    assert record.execution_id == 2
    assert record.outputs[0].key == "examples"
    assert record.outputs[0].type_name == "Examples"
    assert record.size_bytes == 1234


def test_no_store_no_lineage(tmp_path):
    assert read_lineage(tmp_path / "none.sqlite") == ()


def test_component_writes_page_and_copy_from_whatever_there_is(tmp_path, metadata_path):
    clean = _artifact(CleanSummary, tmp_path / "clean")
    summary = {"events": {"rows_in": 12_345, "rows_out": 12_000, "rejected": {}}}
    (tmp_path / "clean" / "summary.json").write_text(json.dumps(summary))
    rejected = _artifact(RejectedRows, tmp_path / "rejected")
    rows = {"table": ["events"] * 2, "row": ["{}"] * 2, "reason": ["too late"] * 2}
    pq.write_table(pa.table(rows), tmp_path / "rejected" / "rejected.parquet")
    verdicts = _artifact(GateVerdicts, tmp_path / "verdicts")
    (tmp_path / "verdicts" / "verdicts.json").write_text(
        json.dumps({"blessed": True, "verdicts": []})
    )
    pushed = _artifact(standard_artifacts.PushedModel, tmp_path / "pushed")
    report = _artifact(HtmlReport, tmp_path / "artifact")
    page = tmp_path / "report" / "index.html"
    Report.test_call(
        report=report,
        shop="small",
        path=str(page),
        metadata_path=str(metadata_path),
        clean_summary=clean,
        rejected=rejected,
        verdicts=verdicts,
        pushed_model=pushed,
    )
    text = page.read_text(encoding="utf-8")
    assert "12,345" in text and "too late" in text and "cached" in text
    assert (tmp_path / "artifact" / "index.html").read_text(encoding="utf-8") == text
    assert report.get_string_custom_property("path") == str(page)
