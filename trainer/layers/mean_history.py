"""History as a mean of its slots."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


@tf.keras.utils.register_keras_serializable(package="souk")
class MeanHistory(tf.keras.layers.Layer):
    """Mean over the slots that are not padding; zero for an empty history.

    >>> MeanHistory()(tf.constant([[[2.0], [4.0]]]), tf.constant([[True, True]]))
    <tf.Tensor: shape=(1, 1), dtype=float32, numpy=array([[3.]], dtype=float32)>
    """

    def call(
        self, vectors: tf.Tensor, valid: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """One vector per history.

        Args:
          vectors: [batch_size, history, dim] float32, newest last.
          valid: [batch_size, history] bool, False pads.
          training: unused.

        Returns:
          [batch_size, dim] float32.
        """
        weights = tf.cast(valid, vectors.dtype)[..., None]
        count = tf.maximum(tf.reduce_sum(weights, 1), 1.0)
        return tf.reduce_sum(vectors * weights, 1) / count

    def get_config(self) -> dict[str, Any]:
        return dict(super().get_config())
