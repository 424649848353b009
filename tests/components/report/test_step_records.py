"""Notes of a Kubeflow run's steps are the report's lineage."""

from __future__ import annotations

from pathlib import Path

from components.report.lineage import read_lineage
from components.report.step_records import COMPLETE, FAILED, StepRecord, write_record


def test_the_newest_note_of_each_step_in_order_of_start(tmp_path: Path) -> None:
    for record in (
        StepRecord(component="Second", state=FAILED, started=20.0, error="why"),
        StepRecord(component="First", state="running", started=10.0),
        StepRecord(
            component="First",
            state=COMPLETE,
            started=10.0,
            seconds=4.0,
            inputs=({"key": "items", "type_name": "Examples", "uri": "gs://a"},),
            outputs=(
                {"key": "m", "type_name": "Model", "uri": "gs://b", "size_bytes": 7},
            ),
        ),
    ):
        write_record(tmp_path, record)
    first, second = read_lineage(tmp_path)
    assert (first.execution_id, first.component, first.state) == (1, "First", COMPLETE)
    assert (first.seconds, first.size_bytes) == (4.0, 7)
    assert [a.uri for a in (*first.inputs, *first.outputs)] == ["gs://a", "gs://b"]
    assert (second.component, second.error) == ("Second", "why")


def test_a_half_written_note_is_not_read(tmp_path: Path) -> None:
    (tmp_path / ".First.123").write_text("{")
    assert read_lineage(tmp_path) == ()
