"""The two towers over item vectors and the person's features."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


@tf.keras.utils.register_keras_serializable(package="souk")
class ResidualTower(tf.keras.layers.Layer):
    """L2-normalized `base + MLP(features)`.

    The base (an item vector, or the history's) passes untouched, so that items of the
    history attract themselves and their kin from the first step.

    >>> tower = ResidualTower(dim=4, hidden_dim=8)
    >>> tf.norm(tower(tf.ones([1, 4]), tf.ones([1, 6])))
    <tf.Tensor: shape=(), dtype=float32, numpy=1.0>
    """

    def __init__(self, *, dim: int, hidden_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dim = dim
        self.hidden_dim = hidden_dim
        self.hidden = tf.keras.layers.Dense(hidden_dim, activation="relu")
        self.projection = tf.keras.layers.Dense(dim)

    def call(self, base: tf.Tensor, features: tf.Tensor) -> tf.Tensor:
        """Embeddings.

        Args:
          base: [batch_size, dim] float32.
          features: [batch_size, width] float32.

        Returns:
          [batch_size, dim] float32 of norm 1.
        """
        embeddings = base + self.projection(self.hidden(features))
        return tf.math.l2_normalize(embeddings, -1)

    def get_config(self) -> dict[str, Any]:
        config = {"dim": self.dim, "hidden_dim": self.hidden_dim}
        return {**super().get_config(), **config}
