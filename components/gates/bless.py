"""Writes verdicts and blessing; what consumers watch for comes last."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from components.gates.verdict import Verdict
from components.json_file import write_json
from core.layout import METRICS_FILE

VERDICTS_FILE = "verdicts.json"
BLESSED_FILE, NOT_BLESSED_FILE = "BLESSED", "NOT_BLESSED"


def write_verdicts(verdicts: Sequence[Verdict], folder: Path) -> bool:
    """Writes verdicts.json; returns whether all passed."""
    blessed = all(v.passed for v in verdicts)
    content = {"blessed": blessed, "verdicts": [v.to_dict() for v in verdicts]}
    write_json(folder / VERDICTS_FILE, content)
    return blessed


def write_blessing(blessed: bool, metrics_file: Path, folder: Path) -> None:
    """Keeps the metrics beside the blessing for the next run, then blesses or not."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(metrics_file, folder / METRICS_FILE)
    mark_blessing(blessed, folder)


def mark_blessing(blessed: bool, folder: Path) -> None:
    """Blesses or not."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / (BLESSED_FILE if blessed else NOT_BLESSED_FILE)).touch()


def summary(verdicts: Sequence[Verdict]) -> str:
    """One line: how many gates passed, and which did not."""
    failed = [f"{v.gate} ({v.message})" for v in verdicts if not v.passed]
    passed = f"{len(verdicts) - len(failed)} of {len(verdicts)} gates passed"
    return passed + ("" if not failed else "; failed: " + "; ".join(failed))
