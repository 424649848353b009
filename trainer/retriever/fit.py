"""Epochs with checkpoints, restart, early stopping and logs."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from core import progress
from core.config.retriever import RetrieverConfig
from trainer.retriever import batches, evaluation
from trainer.retriever.model import TwoTower
from trainer.retriever.moments import MomentArrays

HISTORY_FILE = "history.json"
STEP = "Retriever"


def compile_model(model: TwoTower) -> None:
    """Compiles with the sparse-update Adagrad: it touches only the rows of a batch."""
    config = model.config
    optimizer = tf.keras.optimizers.legacy.Adagrad(config.learning_rate)
    model.compile(optimizer=optimizer, steps_per_execution=config.steps_per_execution)


def fit(
    model: TwoTower,
    train: MomentArrays,
    evaluate: MomentArrays | None,
    config: RetrieverConfig,
    run_dir: str,
    num_epochs: int | None = None,
    searches: MomentArrays | None = None,
) -> dict[str, Any]:
    """Trains the model in place and returns its history.

    After every epoch the model is evaluated and a checkpoint written; a call with the
    same `run_dir` goes on after the last finished epoch. With `evaluate`, training
    stops after `patience` epochs without a better recall and the best epoch's weights
    are restored. No epoch begins after `max_seconds`, unless `num_epochs` says how many
    there are.

    Args:
      model: a new TwoTower.
      train: moments to learn from.
      evaluate: moments for early stopping; None trains `num_epochs` epochs.
      config: batch size, epochs, patience, seed.
      run_dir: folder for checkpoints, TensorBoard logs and history.json.
      num_epochs: overrides config.max_epochs and max_seconds.
      searches: moments with words whose recall is measured beside.

    Returns:
      {"epochs": [{"loss", "recall", "seconds", "examples_per_second"}...], with
      `searches` "search_recall" in each,
      "best_epoch" (1-based), "eval_k", "popularity_recall"}.
    """
    total = num_epochs or config.max_epochs
    run = _Run(model, Path(run_dir))
    history = run.restore()
    num_items = next(iter(model._item_features.values())).shape[0] - 1
    probabilities = batches.sampling_probabilities(
        train, num_items, config.max_targets_per_moment
    )
    if evaluate is not None and "popularity_recall" not in history:
        top = evaluation.popular_rows(train, num_items, config.eval_k)
        tiled = np.tile(top, (evaluate.num_moments, 1))
        history["popularity_recall"] = evaluation.recall(tiled, evaluate)
        history["eval_k"] = config.eval_k
    # A number of epochs that was chosen before stands, however slow the machine is now.
    seconds = math.inf if num_epochs else config.max_seconds
    end = time.monotonic() + seconds
    while not _finished(history, total, config.patience, end):
        epoch = len(history["epochs"])
        entry = _one_epoch(model, train, probabilities, config, epoch)
        if evaluate is not None:
            top = evaluation.retrieve(model, evaluate, config.eval_k)
            entry["recall"] = evaluation.recall(top, evaluate)
        if searches is not None:
            top = evaluation.retrieve(model, searches, config.eval_k)
            entry["search_recall"] = evaluation.recall(top, searches)
        history["epochs"].append(entry)
        history["best_epoch"] = _best_epoch(history["epochs"])
        run.save(history)
        progress.advance(STEP, epoch + 1, total, _note(entry, config))
    run.restore_epoch(history["best_epoch"])
    return history


def _one_epoch(
    model: TwoTower,
    train: MomentArrays,
    probabilities: np.ndarray,
    config: RetrieverConfig,
    epoch: int,
) -> dict[str, float]:
    seed = config.seed * 1000 + epoch
    tf.random.set_seed(seed)
    data = batches.dataset(train, probabilities, config, seed)
    started = time.monotonic()
    logs = model.fit(data, epochs=1, verbose=0).history
    seconds = time.monotonic() - started
    counts = np.diff(train.target_offsets)
    pairs = int(np.minimum(counts, config.max_targets_per_moment).sum())
    return {
        "loss": float(logs["mean_loss"][-1]),
        "seconds": round(seconds, 3),
        "examples_per_second": round(pairs / max(seconds, 1e-9), 1),
    }


def _finished(history: dict[str, Any], total: int, patience: int, end: float) -> bool:
    epochs = history["epochs"]
    if not epochs:
        return False
    waited = len(epochs) - history["best_epoch"]
    return len(epochs) >= total or waited >= patience or time.monotonic() > end


def _best_epoch(epochs: list[dict[str, float]]) -> int:
    """1-based epoch of the best recall; the last one where recall is not measured."""
    if "recall" not in epochs[-1]:
        return len(epochs)
    return 1 + int(np.argmax([entry["recall"] for entry in epochs]))


def _note(entry: dict[str, float], config: RetrieverConfig) -> str:
    text = f"loss {entry['loss']:.3f}, {entry['examples_per_second']:.0f} examples/s"
    if "recall" in entry:
        text += f", recall@{config.eval_k} {entry['recall']:.3f}"
    return text


class _Run:
    """Checkpoints, TensorBoard events and history.json of one run folder."""

    def __init__(self, model: TwoTower, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.checkpoint = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
        self.writer = tf.summary.create_file_writer(str(folder / "logs"))

    def restore(self) -> dict[str, Any]:
        """History so far; the weights follow (as soon as they are created)."""
        path = self.folder / HISTORY_FILE
        if not path.exists():
            return {"epochs": []}
        history: dict[str, Any] = json.loads(path.read_text())
        self.checkpoint.restore(self._path(len(history["epochs"])))
        return history

    def restore_epoch(self, epoch: int) -> None:
        """Weights of a finished epoch (1-based)."""
        self.checkpoint.restore(self._path(epoch)).expect_partial()

    def save(self, history: dict[str, Any]) -> None:
        """Writes the checkpoint first: history.json names only what is complete."""
        epoch = len(history["epochs"])
        self.checkpoint.write(self._path(epoch))
        with self.writer.as_default(step=epoch):
            for name, value in history["epochs"][-1].items():
                tf.summary.scalar(name, value)
        self.writer.flush()
        part = self.folder / (HISTORY_FILE + ".part")
        part.write_text(json.dumps(history, indent=2))
        part.replace(self.folder / HISTORY_FILE)
        for old in range(1, epoch):
            if old != history["best_epoch"]:
                for file in (self.folder / "checkpoints").glob(f"epoch-{old:03d}.*"):
                    file.unlink()

    def _path(self, epoch: int) -> str:
        return str(self.folder / "checkpoints" / f"epoch-{epoch:03d}")
