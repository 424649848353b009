"""The report is there, whatever became of the run."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from components.report.step_records import (
    COMPLETE,
    FAILED,
    RUNNING,
    StepRecord,
    write_record,
)
from pipeline.kubeflow.steps import command
from pipeline.kubeflow.steps.on_exit import on_exit
from tests.pipeline.kubeflow.messages import message, output_uri

FAULT = "`events.event` drifted: 0.31 against 0.1 <accepted>."


class Exit:
    """A run's folder on the volume, and OnExit run on it."""

    def __init__(self, tmp_path: Path, mounts: Path) -> None:
        self.home = tmp_path / "home"
        self.run_folder = self.home / "tiny" / "runs" / "run-7"
        self.page = self.home / "tiny" / "report" / "index.html"
        self.out, self.mounts = tmp_path / "out", mounts

    def record(self, component: str, state: str, error: str = "") -> None:
        record = StepRecord(
            component=component, state=state, started=time.time(), error=error
        )
        write_record(self.run_folder, record)

    def run(self) -> str:
        """The page that the handler's own artifact holds."""
        text = message(
            "OnExit",
            parameters={
                "home": str(self.home),
                "shop": "tiny",
                "status": {"state": "FAILED"},
            },
            outputs={"report": "components.HtmlReport"},
            out=str(self.out),
        )
        flags = ["--task", "OnExit", "--json_serialized_invocation_args", text]
        assert command.run(on_exit, flags) == 0
        uri = output_uri("OnExit", "report").removeprefix("gs://")
        return (self.mounts / "gcs" / uri / "index.html").read_text("utf-8")


@pytest.fixture
def handler(tmp_path: Path, mounts: Path) -> Exit:
    return Exit(tmp_path, mounts)


def test_a_failed_run_gets_a_page_that_names_the_step_and_the_fault(handler) -> None:
    handler.record("Clean", COMPLETE)
    handler.record("GateEvents", FAILED, FAULT)
    kept = handler.run_folder / "kept" / "clean_summary"
    kept.mkdir(parents=True)
    summary = {
        "items": {"rows_in": 4321, "rows_out": 4320, "rejected": {}, "repaired": {}},
        "events": {"rows_in": 0, "rows_out": 0, "splits": {}, "users": 0},
        "adapter": {"rejected": {}},
    }
    (kept / "summary.json").write_text(json.dumps(summary))
    page = handler.run()
    assert "GateEvents" in page and "failed" in page
    assert "0.31 against 0.1 &lt;accepted&gt;" in page
    assert "4,320" in page  # what the finished steps kept is on the page
    assert handler.page.read_text("utf-8") == page


def test_a_killed_step_is_said_to_have_failed(handler) -> None:
    handler.record("Ranker", RUNNING)
    assert "ended without a word" in handler.run()


def test_a_run_that_wrote_its_report_keeps_it(handler) -> None:
    handler.record("Report", COMPLETE)
    handler.page.parent.mkdir(parents=True)
    handler.page.write_text("the run's own")
    assert handler.run() == "the run's own"


def test_a_run_that_never_began_has_a_page_too(handler) -> None:
    assert "tiny" in handler.run()
