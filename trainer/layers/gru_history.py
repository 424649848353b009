"""History read slot by slot by a gated recurrent unit."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


@tf.keras.utils.register_keras_serializable(package="souk")
class GruHistory(tf.keras.layers.Layer):
    """Last state of a GRU that skips padding (Hidasi et al., arXiv:1511.06939).

    >>> GruHistory(dim=4)(tf.zeros([2, 3, 4]), tf.ones([2, 3], tf.bool)).shape
    TensorShape([2, 4])
    """

    def __init__(self, *, dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dim = dim
        # reset_after=False: the masked loop, which every server runs, without cuDNN.
        self.gru = tf.keras.layers.GRU(dim, reset_after=False)

    def call(
        self, vectors: tf.Tensor, valid: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """One vector per history.

        Args:
          vectors: [batch_size, history, dim] float32, newest last.
          valid: [batch_size, history] bool, False pads.
          training: as in Keras.

        Returns:
          [batch_size, dim] float32; zero for an empty history.
        """
        state = self.gru(vectors, mask=valid, training=training)
        return state * tf.cast(tf.reduce_any(valid, 1), state.dtype)[:, None]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dim": self.dim}
