"""Epochs over sampled lists, with validation and checkpoints between them."""

from __future__ import annotations

import time
from collections.abc import Callable

import tensorflow as tf

from core import progress as reporting
from core.config.ranker import RankerConfig
from trainer.ranker.checkpoints import FitCheckpoints, Progress
from trainer.ranker.dataset import CandidateRows, Ints
from trainer.ranker.list_batches import list_batches
from trainer.ranker.model import restart_noise
from trainer.ranker.training import Fit

Metrics = dict[str, float]


def run_epochs(
    fit: Fit,
    rows: CandidateRows,
    moments: Ints,
    *,
    config: RankerConfig,
    name: str,
    epochs: int,
    checkpoints: FitCheckpoints | None = None,
    validate: Callable[[Fit], Metrics] | None = None,
    writer: tf.summary.SummaryWriter | None = None,
) -> Progress:
    """Trains up to `epochs` epochs and leaves the best weights in the model.

    Args:
      fit: the model and optimizer; its schedule spans `config.epochs`.
      rows: candidates with normalized features.
      moments: numbers of the training moments.
      config: settings.
      name: of this fit, for progress lines.
      epochs: at most this many.
      checkpoints: where to keep the state after each epoch and to continue from.
      validate: metrics of the fit after an epoch; the latest epoch whose "metric" is
        within `config.epoch_tolerance` of the best wins; the fit stops after
        `config.patience` epochs that do not. None: the last epoch wins.
      writer: TensorBoard writer.
    """
    state = checkpoints.restore(fit.tracked) if checkpoints else Progress()
    while len(state.epochs) < epochs and not _is_stuck(state, config):
        epoch = len(state.epochs) + 1
        record = _train_epoch(fit, rows, moments, config=config, epoch=epoch)
        live = [v.numpy() for v in fit.model.trainable_variables]
        weights = fit.weights()
        if validate:
            began = time.perf_counter()
            fit.assign(weights)
            record.update(validate(fit))
            fit.assign(live)
            record["validation_s"] = time.perf_counter() - began
        state.epochs.append({k: float(v) for k, v in record.items()})
        metric = record.get("metric", float(epoch))
        if metric >= state.best_metric - config.epoch_tolerance:
            state.best_epoch, state.best_weights = epoch, weights
            state.best_metric = max(state.best_metric, float(metric))
        if checkpoints:
            checkpoints.save(fit.tracked, state)
        _report(name, epoch, epochs, record, writer)
    if state.best_weights is not None:
        fit.assign(state.best_weights)
    return state


def _is_stuck(state: Progress, config: RankerConfig) -> bool:
    """Whether so many epochs were no better that the fit ends; asked after a restart
    too."""
    return len(state.epochs) - state.best_epoch >= config.patience


def _train_epoch(
    fit: Fit, rows: CandidateRows, moments: Ints, *, config: RankerConfig, epoch: int
) -> Metrics:
    restart_noise(fit.model, config.seed * 100_003 + epoch)
    began = time.perf_counter()
    total, steps, seen = tf.zeros([3]), 0, 0
    for batch in list_batches(rows, moments, config=config, epoch=epoch):
        total += fit.step(*batch)
        steps, seen = steps + 1, seen + int(batch.mask.sum())
    loss, listwise, pointwise = (total / max(steps, 1)).numpy()
    seconds = time.perf_counter() - began
    return {
        "epoch": epoch,
        "loss": loss,
        "listwise_loss": listwise,
        "pointwise_loss": pointwise,
        "seconds": seconds,
        "rows_per_s": seen / max(seconds, 1e-9),
    }


def _report(
    name: str,
    epoch: int,
    epochs: int,
    record: Metrics,
    writer: tf.summary.SummaryWriter | None,
) -> None:
    note = f"{name} loss {record['loss']:.4f}, {record['rows_per_s']:,.0f} rows/s"
    if "ndcg" in record:
        note += f", NDCG {record['ndcg']:.4f}, new {record['ndcg_new']:.4f}"
    reporting.advance("Ranker", epoch, epochs, note)
    if writer:
        with writer.as_default(step=epoch):
            for key, value in record.items():
                tf.summary.scalar(f"{name}/{key}", value)
        writer.flush()
