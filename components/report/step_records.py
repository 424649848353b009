"""What each step of a run on Kubeflow notes about itself, one JSON file per step.

There, ML Metadata is the cluster's own and a container cannot read it; a folder on the
volume that all steps share can be read by the report, also after a failure.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from components.report.data import ArtifactRecord, ExecutionRecord
from core.whole_file import whole_file

RUNNING, COMPLETE, FAILED = "running", "complete", "failed"


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepRecord:
    """One step of one run; `artifacts` hold key, type_name and uri."""

    component: str
    state: str
    started: float  # seconds, UTC
    seconds: float = 0.0
    error: str = ""
    inputs: tuple[dict[str, Any], ...] = ()
    outputs: tuple[dict[str, Any], ...] = ()


def write_record(folder: Path, record: StepRecord) -> None:
    """Replaces the step's record; readers see the old or the new one, never a part."""
    with whole_file(folder / f"{record.component}.json") as hidden:
        hidden.write_text(json.dumps(dataclasses.asdict(record)), encoding="utf-8")


def read_records(folder: Path) -> tuple[ExecutionRecord, ...]:
    """The steps of a run by time of start; those that a cache spared left no record."""
    found = [
        StepRecord(**json.loads(path.read_text(encoding="utf-8")))
        for path in folder.glob("[!.]*.json")
    ]
    found.sort(key=lambda record: record.started)
    return tuple(_execution(n, record) for n, record in enumerate(found, start=1))


def _execution(number: int, record: StepRecord) -> ExecutionRecord:
    return ExecutionRecord(
        execution_id=number,
        component=record.component,
        state=record.state,
        seconds=record.seconds,
        started=record.started,
        inputs=tuple(ArtifactRecord(artifact_id=0, **each) for each in record.inputs),
        outputs=tuple(ArtifactRecord(artifact_id=0, **each) for each in record.outputs),
        error=record.error,
    )
