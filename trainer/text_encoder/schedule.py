"""Steps, learning rate and time of a training phase."""

from __future__ import annotations

import math
import time
from typing import Any

import keras
import tensorflow as tf

_COOL_DOWN = 0.2  # of the time


class TrainingPhase:
    """AdamW with warm-up and cosine decay, whose end is a number of steps or a time.

    A run that ends before the last fifth of its time does not depend on the clock; in
    that fifth the rate falls to 0, so that a run that its time ends has settled too.
    """

    def __init__(
        self,
        variables: list[Any],
        *,
        num_steps: int,
        learning_rate: float,
        warmup_share: float,
        weight_decay: float,
        seconds: float,
    ) -> None:
        self.steps = 0
        self.num_steps = num_steps
        self._variables = variables
        self._peak = learning_rate
        self._warmup = warmup_share
        self._seconds = seconds
        self._started = time.monotonic()
        self._optimizer = keras.optimizers.AdamW(
            learning_rate, weight_decay=weight_decay, global_clipnorm=1.0
        )
        self._optimizer.build(variables)

    @property
    def seconds(self) -> float:
        """Since the phase began."""
        return time.monotonic() - self._started

    @property
    def out_of_time(self) -> bool:
        return self.seconds >= self._seconds

    def next_step(self) -> None:
        """Counts a step and sets its learning rate."""
        done = min(self.steps / max(self.num_steps, 1), 1.0)
        self.steps += 1
        if done < self._warmup:
            share = max(done / self._warmup, 1.0 / max(self.num_steps, 1))
        else:
            rest = (done - self._warmup) / (1.0 - self._warmup)
            share = 0.5 * (1.0 + math.cos(math.pi * rest))
        left = 1.0 - self.seconds / self._seconds
        share *= min(1.0, max(left, 0.0) / _COOL_DOWN)
        self._optimizer.learning_rate = self._peak * share

    def apply(self, tape: tf.GradientTape, loss: tf.Tensor) -> None:
        """Moves the variables; called inside a traced step."""
        values = [v.value for v in self._variables]
        gradients = tape.gradient(loss, values, unconnected_gradients="zero")
        # Keras 3 and tied embeddings give sparse ones here and there.
        dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
        self._optimizer.apply(dense, self._variables)
