"""The ranker's training loop for a model that is being compressed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tf_keras

from core.config.ranker import RankerConfig
from trainer.ranker.dataset import CandidateRows, Ints
from trainer.ranker.epochs import run_epochs
from trainer.ranker.losses import distillation_loss, probability_distillation_loss
from trainer.ranker.model import split_heads
from trainer.ranker.training import Fit


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lesson:
    """What a model that is being compressed learns from, and how much of each.

    Attributes:
      teacher: the uncompressed model.
      score_weight: of its order of each list.
      probability_weight: of its probabilities of each event.
      label_weight: of the ranker's own loss on what people did.
    """

    teacher: tf_keras.Model
    score_weight: float
    probability_weight: float
    label_weight: float


class _TaughtFit(Fit):
    """A fit that is also drawn to a teacher's scores and probabilities."""

    def __init__(
        self,
        model: tf_keras.Model,
        *,
        event_types: tuple[str, ...],
        config: RankerConfig,
        total_steps: int,
        lesson: Lesson,
    ) -> None:
        self._lesson = lesson
        super().__init__(
            model, event_types=event_types, config=config, total_steps=total_steps
        )

    def _losses(
        self,
        outputs: tf.Tensor,
        labels: tf.Tensor,
        owned: tf.Tensor,
        mask: tf.Tensor,
        gains: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        total, listwise, pointwise = super()._losses(
            outputs, labels, owned, mask, gains
        )
        return self._lesson.label_weight * total, listwise, pointwise

    def _extra_loss(
        self, flat: tf.Tensor, outputs: tf.Tensor, mask: tf.Tensor
    ) -> tf.Tensor:
        lesson = self._lesson
        if not lesson.score_weight and not lesson.probability_weight:
            return tf.constant(0.0)
        taught = tf.reshape(lesson.teacher(flat, training=False), tf.shape(outputs))
        taught = tf.stop_gradient(taught)
        wanted = split_heads(taught, self._event_types, self._config)
        found = split_heads(outputs, self._event_types, self._config)
        return lesson.score_weight * distillation_loss(
            found[0], wanted[0], mask
        ) + lesson.probability_weight * probability_distillation_loss(
            found[1], wanted[1], mask
        )


def fine_tune(
    model: tf_keras.Model,
    rows: CandidateRows,
    moments: Ints,
    *,
    config: RankerConfig,
    epochs: int,
    learning_rate_share: float,
    lesson: Lesson,
    name: str,
    before_step: Callable[[], Any] | None = None,
) -> list[dict[str, float]]:
    """Trains `model` in place; one record per epoch.

    Args:
      model: functional, normalized features to head logits.
      rows: with normalized features.
      moments: to train on.
      config: the ranker's; its learning rate is scaled, its moving average left out.
      epochs: passes.
      learning_rate_share: of the ranker's.
      lesson: what it learns from.
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
        lesson=lesson,
    )
    if before_step is not None:
        inner = fit.step
        fit.step = lambda *batch: (before_step(), inner(*batch))[1]
    done = run_epochs(fit, rows, moments, config=tuned, name=name, epochs=epochs)
    return done.epochs


def steps_of(moments: Ints, config: RankerConfig, epochs: int) -> int:
    """Steps that so many passes take."""
    return epochs * -(-len(moments) // config.moments_per_batch)
