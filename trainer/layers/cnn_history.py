"""History read by dilated causal convolutions."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from trainer.layers.mean_history import MeanHistory


@tf.keras.utils.register_keras_serializable(package="souk")
class CnnHistory(tf.keras.layers.Layer):
    """Dilated causal convolutions with residuals, then the mean over slots.

    After Yuan et al., "A Simple Convolutional Generative Network for Next Item
    Recommendation", arXiv:1808.05163.

    >>> CnnHistory(dim=4)(tf.zeros([2, 3, 4]), tf.ones([2, 3], tf.bool)).shape
    TensorShape([2, 4])
    """

    def __init__(
        self,
        *,
        dim: int,
        dilations: tuple[int, ...] = (1, 2, 4),
        kernel_size: int = 3,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dim = dim
        self.dilations = tuple(dilations)
        self.kernel_size = kernel_size
        self.convolutions = [
            tf.keras.layers.Conv1D(
                dim, kernel_size, padding="causal", dilation_rate=d, activation="relu"
            )
            for d in self.dilations
        ]
        self.pool = MeanHistory()

    def call(
        self, vectors: tf.Tensor, valid: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """One vector per history.

        Args:
          vectors: [batch_size, history, dim] float32, newest last.
          valid: [batch_size, history] bool, False pads.
          training: unused.

        Returns:
          [batch_size, dim] float32; zero for an empty history.
        """
        weights = tf.cast(valid, vectors.dtype)[..., None]
        vectors *= weights
        for convolution in self.convolutions:
            vectors = (vectors + convolution(vectors)) * weights
        return self.pool(vectors, valid)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "dim": self.dim,
            "dilations": self.dilations,
            "kernel_size": self.kernel_size,
        }
