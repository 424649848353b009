"""A refit trains settings that the gates have let pass, and no others."""

from __future__ import annotations

import json
from pathlib import Path

from core.errors import NotBlessedError
from core.layout import HomeLayout
from pipeline.kubeflow import names
from pipeline.kubeflow.steps.component import KEPT

_PUSHED = ("pushed_model", "pushed.json")  # what Pusher keeps for the report


def check(layout: HomeLayout) -> None:
    """Returns where the newest run of the whole DAG has pushed its model.

    Raises:
      NotBlessedError: it has not, or there was none.
    """
    found = (layout.root / names.RUNS).glob("/".join(("*", KEPT, *_PUSHED)))
    newest = max(found, key=lambda path: path.stat().st_mtime, default=None)
    if newest is not None and json.loads(newest.read_text("utf-8")).get("pushed"):
        return
    raise NotBlessedError(
        "A refit needs a run whose model the gates let pass. Received: "
        f"{_run(newest)}. Run the specification compiled without --refit first."
    )


def _run(pushed: Path | None) -> str:
    if pushed is None:
        return "no run that came to its end"
    return f"run {pushed.parents[2].name}, where nothing was pushed"
