"""Where one fit has got to, kept on disk after each epoch."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.whole_file import whole_file

_STATE = "state.json"
Weights = list[npt.NDArray[np.float32]]


@dataclasses.dataclass
class Progress:
    """What a fit knows beside its variables."""

    epochs: list[dict[str, float]] = dataclasses.field(default_factory=list)
    best_epoch: int = 0  # the one to keep, counted from 1; 0: none yet
    best_metric: float = -1.0  # highest seen
    best_weights: Weights | None = None


class FitCheckpoints:
    """Checkpoints of one fit in a folder of its own.

    A checkpoint counts once `state.json`, written last and by rename, names it; a
    process killed in between continues from the one before.
    """

    def __init__(self, folder: str | Path, fingerprint: str) -> None:
        self._folder = Path(folder)
        self._fingerprint = fingerprint

    def restore(self, tracked: tf.train.Checkpoint) -> Progress:
        """Loads the variables and returns the progress; fresh if there is none.

        A folder that another configuration or other data wrote is ignored.
        """
        path = self._folder / _STATE
        if not path.is_file():
            return Progress()
        state = json.loads(path.read_text())
        if state["fingerprint"] != self._fingerprint:
            return Progress()
        tracked.read(str(self._folder / state["checkpoint"])).assert_consumed()
        best = None
        if state["best_epoch"]:
            with np.load(self._folder / state["best"]) as arrays:
                best = [arrays[f"w{i}"] for i in range(len(arrays.files))]
        return Progress(
            state["epochs"], state["best_epoch"], state["best_metric"], best
        )

    def save(self, tracked: tf.train.Checkpoint, progress: Progress) -> None:
        """Makes this state the one that `restore` returns."""
        self._folder.mkdir(parents=True, exist_ok=True)
        epoch = len(progress.epochs)
        checkpoint = f"epoch-{epoch}"
        tracked.write(str(self._folder / checkpoint))
        state: dict[str, Any] = {
            "fingerprint": self._fingerprint,
            "checkpoint": checkpoint,
            "epochs": progress.epochs,
            "best_epoch": progress.best_epoch,
            "best_metric": progress.best_metric,
            "best": f"best-{progress.best_epoch}.npz",
        }
        if progress.best_weights is not None and progress.best_epoch == epoch:
            arrays = {f"w{i}": w for i, w in enumerate(progress.best_weights)}
            np.savez(self._folder / state["best"], **arrays)
        with whole_file(self._folder / _STATE) as hidden:
            hidden.write_text(json.dumps(state))
        for old in self._folder.glob(f"epoch-{epoch - 2}.*"):
            old.unlink()


@contextlib.contextmanager
def checkpoints_beside(run_dir: Path) -> Iterator[Path]:
    """A folder for the checkpoints of a run's fits; gone once the run is done.

    It lies beside the run's own folder, whose name changes from one execution to the
    next: a killed run's successor finds it there.
    """
    folder = run_dir.parent / "checkpoints"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
