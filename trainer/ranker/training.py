"""One fit of one model: epochs over sampled lists, metrics apart from the step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tf_keras

from core import progress as reporting
from core.config.ranker import RankerConfig
from trainer.ranker import losses
from trainer.ranker.checkpoints import FitCheckpoints, Progress
from trainer.ranker.dataset import CandidateRows, Ints, sample_lists
from trainer.ranker.model import restart_noise, split_heads
from trainer.traced import traced

_PREDICT_ROWS = 16_384
Metrics = dict[str, float]


class ListBatch(NamedTuple):
    """M moments of up to R rows; padded rows have mask False."""

    features: tf.Tensor  # [M, R, F] float32, normalized
    labels: tf.Tensor  # [M, R, T] uint8
    owned: tf.Tensor  # [M, R] bool
    mask: tf.Tensor  # [M, R] bool
    gains: tf.Tensor  # [M, R] float32, worth in the listwise loss


class Fit:
    """A model with its optimizer, moving average and compiled training step."""

    def __init__(
        self,
        model: tf_keras.Model,
        *,
        event_types: tuple[str, ...],
        config: RankerConfig,
        total_steps: int,
    ) -> None:
        self.model = model
        self._event_types = event_types
        self._config = config
        self._target = event_types.index(config.target_event)
        self.optimizer = _optimizer(config, total_steps)
        self.optimizer.build(model.trainable_variables)
        self._averages = [
            tf.Variable(v, trainable=False)
            for v in (model.trainable_variables if config.ema_decay else [])
        ]
        self.tracked = tf.train.Checkpoint(
            model=model, optimizer=self.optimizer, averages=self._averages
        )
        width, tasks = int(model.input_shape[-1]), len(event_types)
        self.step: Callable[..., tf.Tensor] = traced(
            self._step,
            input_signature=[
                tf.TensorSpec([None, None, width], tf.float32),
                tf.TensorSpec([None, None, tasks], tf.uint8),
                tf.TensorSpec([None, None], tf.bool),
                tf.TensorSpec([None, None], tf.bool),
                tf.TensorSpec([None, None], tf.float32),
            ],
        )
        self._predict: Callable[..., tf.Tensor] = traced(
            lambda x: model(x, training=False),
            input_signature=[tf.TensorSpec([None, width], tf.float32)],
        )

    def predict(
        self, rows: CandidateRows, moments: Ints
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Ranking scores [n] and event logits [n, T] of the moments' rows."""
        numbers = rows.rows_of(moments)
        parts = [
            self._predict(rows.features[numbers[i : i + _PREDICT_ROWS]])
            for i in range(0, len(numbers), _PREDICT_ROWS)
        ]
        scores, logits = split_heads(
            tf.concat(parts, 0), self._event_types, self._config
        )
        return scores.numpy(), logits.numpy()

    def weights(self) -> list[npt.NDArray[np.float32]]:
        """The weights that make the model: the moving average where there is one."""
        variables: list[Any] = self._averages or self.model.trainable_variables
        return [v.numpy() for v in variables]

    def assign(self, weights: list[npt.NDArray[np.float32]]) -> None:
        for variable, value in zip(
            self.model.trainable_variables, weights, strict=True
        ):
            variable.assign(value)

    def _step(
        self,
        features: tf.Tensor,
        labels: tf.Tensor,
        owned: tf.Tensor,
        mask: tf.Tensor,
        gains: tf.Tensor,
    ) -> tf.Tensor:
        """[3] float32: total loss, listwise part, pointwise part."""
        variables = self.model.trainable_variables
        shape = tf.shape(features)
        with tf.GradientTape() as tape:
            flat = tf.reshape(features, [-1, features.shape[-1]])
            outputs = self.model(flat, training=True)
            outputs = tf.reshape(outputs, [shape[0], shape[1], outputs.shape[-1]])
            total, listwise, pointwise = self._losses(
                outputs, tf.cast(labels, tf.float32), owned, mask, gains
            )
            total += self._extra_loss(flat, outputs, mask)
        gradients = tape.gradient(total, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        if self._averages:
            self._update_averages()
        return tf.stack([total, listwise, pointwise])

    def _extra_loss(
        self, flat: tf.Tensor, outputs: tf.Tensor, mask: tf.Tensor
    ) -> tf.Tensor:
        """Scalar; what a fit of another kind adds to the loss.

        Args:
          flat: [M * R, F] the model's inputs.
          outputs: [M, R, heads] its outputs.
          mask: [M, R] bool.
        """
        del flat, outputs, mask
        return tf.constant(0.0)

    def _losses(
        self,
        outputs: tf.Tensor,
        labels: tf.Tensor,
        owned: tf.Tensor,
        mask: tf.Tensor,
        gains: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        config = self._config
        scores, logits = split_heads(outputs, self._event_types, config)
        listwise = tf.constant(0.0)
        if config.listwise_loss != "none":
            loss = losses.LISTWISE[config.listwise_loss]
            cap = config.positives_cap
            if config.listwise_weight:
                listwise += config.listwise_weight * loss(
                    scores, gains, mask, positives_cap=cap
                )
            if config.new_weight:
                listwise += config.new_weight * loss(
                    scores, gains, mask & ~owned, positives_cap=cap
                )
            # A weighted score is made of the events' probabilities, which a loss that
            # asks for their order alone would move.
            if config.other_events_weight and config.score_head == "own":
                listwise += config.other_events_weight * losses.other_events_loss(
                    logits, labels, mask, target=self._target, positives_cap=cap
                )
        pointwise = tf.constant(0.0)
        if config.pointwise_weight:
            pointwise = config.pointwise_weight * losses.pointwise_loss(
                logits, labels, mask
            )
        return listwise + pointwise, listwise, pointwise

    def _update_averages(self) -> None:
        # A short memory first, so that the random start is forgotten.
        step = tf.cast(self.optimizer.iterations, tf.float32)
        decay = tf.minimum(self._config.ema_decay, step / (step + 10.0))
        pairs = zip(self._averages, self.model.trainable_variables, strict=True)
        for average, variable in pairs:
            average.assign_sub((1.0 - decay) * (average - variable))


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


def list_batches(
    rows: CandidateRows, moments: Ints, *, config: RankerConfig, epoch: int
) -> Iterator[ListBatch]:
    """One epoch's batches in an order and with samples that (seed, epoch) decide."""
    rng = np.random.default_rng([config.seed, epoch])
    moments = rng.permutation(moments)
    lists = sample_lists(rows, moments, size=config.rows_per_moment, rng=rng)
    target = rows.event_types.index(config.target_event)
    worth = rows.labels[:, target] if rows.gains is None else rows.gains
    worth = worth.astype(np.float32)
    for start in range(0, len(moments), config.moments_per_batch):
        batch = lists[start : start + config.moments_per_batch]
        mask = batch >= 0
        batch = batch[:, : max(int(mask.sum(axis=1).max()), 1)]
        mask = mask[:, : batch.shape[1]]
        numbers = np.where(mask, batch, 0)
        yield ListBatch(
            rows.features[numbers],
            rows.labels[numbers],
            rows.owned[numbers],
            mask,
            worth[numbers],
        )


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


def _optimizer(config: RankerConfig, total_steps: int) -> tf_keras.optimizers.Optimizer:
    warmup = int(total_steps * config.warmup)
    schedule = tf_keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else config.learning_rate,
        decay_steps=max(total_steps - warmup, 1),
        warmup_target=config.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    return tf_keras.optimizers.AdamW(
        learning_rate=schedule, weight_decay=config.weight_decay, jit_compile=False
    )


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
