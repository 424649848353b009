"""The ranker's training loop for a model that is being compressed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tf_keras

from core.config.ranker import RankerConfig
from trainer.ranker.dataset import CandidateRows, Ints
from trainer.ranker.losses import distillation_loss
from trainer.ranker.model import split_heads
from trainer.ranker.training import Fit, run_epochs


class _TaughtFit(Fit):
    """A fit with a teacher's scores beside the training loss."""

    def __init__(
        self,
        model: tf_keras.Model,
        *,
        event_types: tuple[str, ...],
        config: RankerConfig,
        total_steps: int,
        teacher: tf_keras.Model,
        weight: float,
    ) -> None:
        self._teacher, self._weight = teacher, weight
        super().__init__(
            model, event_types=event_types, config=config, total_steps=total_steps
        )

    def _extra_loss(
        self, flat: tf.Tensor, outputs: tf.Tensor, mask: tf.Tensor
    ) -> tf.Tensor:
        if not self._weight:
            return tf.constant(0.0)
        taught = tf.reshape(self._teacher(flat, training=False), tf.shape(outputs))
        wanted, _ = split_heads(taught, self._event_types, self._config)
        scores, _ = split_heads(outputs, self._event_types, self._config)
        loss = distillation_loss(scores, tf.stop_gradient(wanted), mask)
        return self._weight * loss


def fine_tune(
    model: tf_keras.Model,
    rows: CandidateRows,
    moments: Ints,
    *,
    config: RankerConfig,
    epochs: int,
    learning_rate_share: float,
    teacher: tf_keras.Model,
    teacher_weight: float,
    name: str,
    before_step: Callable[[], Any] | None = None,
) -> list[dict[str, float]]:
    """Trains `model` in place with the ranker's loss; one record per epoch.

    Args:
      model: functional, normalized features to head logits.
      rows: with normalized features.
      moments: to train on.
      config: the ranker's; its learning rate is scaled, its moving average left out.
      epochs: passes.
      learning_rate_share: of the ranker's.
      teacher: whose scores the model is drawn to.
      teacher_weight: of that; 0: none.
      name: of this phase, for progress lines.
      before_step: is called before each step.
    """
    tuned = config.replace(
        epochs=epochs,
        learning_rate=config.learning_rate * learning_rate_share,
        ema_decay=0.0,
    )
    fit = _TaughtFit(
        model,
        event_types=rows.event_types,
        config=tuned,
        total_steps=steps_of(moments, tuned, epochs),
        teacher=teacher,
        weight=teacher_weight,
    )
    if before_step is not None:
        inner = fit.step
        fit.step = lambda *batch: (before_step(), inner(*batch))[1]
    done = run_epochs(fit, rows, moments, config=tuned, name=name, epochs=epochs)
    return done.epochs


def steps_of(moments: Ints, config: RankerConfig, epochs: int) -> int:
    """Steps that so many passes take."""
    return epochs * -(-len(moments) // config.moments_per_batch)
