"""History read by self-attention."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from trainer.layers.mean_history import MeanHistory


@tf.keras.utils.register_keras_serializable(package="souk")
class TransformerHistory(tf.keras.layers.Layer):
    """Pre-norm transformer blocks over the slots, then their mean.

    Positions count from the newest slot, so that they mean the same at any length; ages
    come with the vectors. After SASRec, arXiv:1808.09781. With `shared` every block has
    the same weights, as in ALBERT, arXiv:1909.11942: the depth of several blocks for
    the parameters of one.

    >>> layer = TransformerHistory(dim=4, max_history=3)
    >>> layer(tf.zeros([2, 3, 4]), tf.ones([2, 3], tf.bool)).shape
    TensorShape([2, 4])
    """

    def __init__(
        self,
        *,
        dim: int,
        max_history: int,
        num_layers: int = 1,
        num_heads: int = 2,
        shared: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dim = dim
        self.max_history = max_history
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.shared = shared
        self.positions = tf.keras.layers.Embedding(max_history, dim)
        self.blocks = [self._block() for _ in range(1 if shared else num_layers)]
        self.pool = MeanHistory()

    def _block(self) -> dict[str, tf.keras.layers.Layer]:
        layers = tf.keras.layers
        return {
            "attention_norm": layers.LayerNormalization(epsilon=1e-6),
            "attention": layers.MultiHeadAttention(
                self.num_heads, self.dim // self.num_heads
            ),
            "dense_norm": layers.LayerNormalization(epsilon=1e-6),
            "expand": layers.Dense(2 * self.dim, activation="gelu"),
            "contract": layers.Dense(self.dim),
        }

    def call(
        self, vectors: tf.Tensor, valid: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """One vector per history.

        Args:
          vectors: [batch_size, history <= max_history, dim] float32, newest last.
          valid: [batch_size, history] bool, False pads.
          training: as in Keras.

        Returns:
          [batch_size, dim] float32; zero for an empty history.
        """
        length = tf.shape(vectors)[1]
        vectors += self.positions(tf.range(length - 1, -1, -1))
        for number in range(self.num_layers):
            block = self.blocks[0 if self.shared else number]
            normed = block["attention_norm"](vectors)
            vectors += block["attention"](
                normed, normed, attention_mask=valid[:, None, :], training=training
            )
            normed = block["dense_norm"](vectors)
            vectors += block["contract"](block["expand"](normed))
        return self.pool(vectors, valid)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "dim": self.dim,
            "max_history": self.max_history,
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "shared": self.shared,
        }
