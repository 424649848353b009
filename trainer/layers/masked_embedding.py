"""Embedding whose id 0 means unknown and contributes nothing."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


@tf.keras.utils.register_keras_serializable(package="souk")
class MaskedEmbedding(tf.keras.layers.Layer):
    """Vectors of ids; the zero vector for id 0.

    >>> layer = MaskedEmbedding(num_ids=3, dim=2)
    >>> layer(tf.constant([0, 3])).numpy()[0]
    array([0., 0.], dtype=float32)
    """

    def __init__(self, *, num_ids: int, dim: int, **kwargs: Any) -> None:
        """Args: num_ids: ids are 0 .. num_ids, 0 unknown; dim: width of the vectors."""
        super().__init__(**kwargs)
        self.num_ids = num_ids
        self.dim = dim

    def build(self, input_shape: Any) -> None:
        self.table = self.add_weight(
            name="table",
            shape=(self.num_ids + 1, self.dim),
            initializer=tf.keras.initializers.RandomUniform(-0.05, 0.05),
        )
        super().build(input_shape)

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        """Vectors.

        Args:
          ids: [...] integer; what lies beyond num_ids counts as unknown.

        Returns:
          [..., dim] float32.
        """
        ids = tf.where(ids <= self.num_ids, ids, tf.zeros_like(ids))
        known = tf.cast(ids > 0, self.compute_dtype)
        return tf.gather(self.table, ids) * known[..., None]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_ids": self.num_ids, "dim": self.dim}
