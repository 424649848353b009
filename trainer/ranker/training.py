"""One fit of one model: its optimizer, its moving average, one step on one batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tf_keras

from core.config.ranker import RankerConfig
from trainer.ranker import losses
from trainer.ranker.dataset import CandidateRows, Ints
from trainer.ranker.model import split_heads
from trainer.traced import traced

_PREDICT_ROWS = 16_384


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
