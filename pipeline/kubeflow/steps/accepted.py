"""A refit trains settings that the gates have let pass, and no others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from components.report.step_records import StepRecord
from core.errors import NotBlessedError
from core.layout import HomeLayout
from pipeline.kubeflow import names
from pipeline.kubeflow.steps.component import KEPT

_PUSHED = ("pushed_model", "pushed.json")  # what Pusher keeps for the report


def mark_refit(run: Path) -> None:
    """Says in a run's folder that it is a refit; before its first record is there."""
    run.mkdir(parents=True, exist_ok=True)
    (run / names.REFIT).touch()


def check(layout: HomeLayout) -> None:
    """Returns where the newest run of the whole DAG has pushed its model.

    Raises:
      NotBlessedError: it has not (or not yet), or there was none.
    """
    runs = _whole_runs(layout.root / names.RUNS)
    _, newest = max(runs, default=(0.0, None))
    if newest is None:
        received = "no run"
    else:
        pushed = newest.joinpath(KEPT, *_PUSHED)
        if not pushed.is_file():
            received = f"run {newest.name}, which has not come to its Pusher"
        elif json.loads(pushed.read_text("utf-8")).get("pushed"):
            return
        else:
            received = f"run {newest.name}, where nothing was pushed"
    raise NotBlessedError(
        "A refit needs the newest run to have a model that the gates let pass. "
        f"Received: {received}. Run the specification compiled without --refit first."
    )


def _whole_runs(runs: Path) -> Iterator[tuple[float, Path]]:
    """Start and folder of each run that is no refit; no cache spares Prepare."""
    for path in runs.glob(f"*/{names.PREPARE}.json"):
        if not (path.parent / names.REFIT).exists():
            record = StepRecord(**json.loads(path.read_text("utf-8")))
            yield record.started, path.parent
