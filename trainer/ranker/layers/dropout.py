"""Dropout whose noise can be started anew, so that a restarted fit repeats itself."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras


@tf_keras.utils.register_keras_serializable("souk")
class SeededDropout(tf_keras.layers.Layer):
    """Zeroes a share `rate` of its inputs in training and scales the rest up.

    `restart(seed)` sets the noise to the beginning of that seed's sequence. The
    library's Dropout keeps a position in its noise that no checkpoint holds.
    """

    def __init__(self, rate: float, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = seed
        self._noise = tf.random.Generator.from_seed(seed)

    def restart(self, seed: int) -> None:
        """Sets the noise to the start of `seed`'s sequence."""
        self._noise.reset_from_seed(seed)

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Same shape and type as `inputs`, any float tensor."""
        if not training or self.rate == 0:
            return inputs
        noise = self._noise.uniform(tf.shape(inputs), dtype=inputs.dtype)
        kept = tf.cast(noise >= self.rate, inputs.dtype)
        return inputs * kept * (1.0 / (1.0 - self.rate))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
