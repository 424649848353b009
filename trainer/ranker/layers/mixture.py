"""The gate of a multi-gate mixture of experts (Ma et al., KDD 2018)."""

from __future__ import annotations

import tensorflow as tf
import tf_keras


@tf_keras.utils.register_keras_serializable("souk")
class GatedSum(tf_keras.layers.Layer):
    """Sum of the experts' outputs, weighted by one task's gate.

    Example:
      >>> gate = tf.constant([[1.0, 0.0]])
      >>> GatedSum()([gate, tf.constant([[2.0]]), tf.constant([[5.0]])]).numpy()
      array([[2.]], dtype=float32)
    """

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        """[batch_size, width] float32.

        Args:
          inputs: the gate, [batch_size, num_experts] float32 with rows that sum to 1,
            then each expert's output, [batch_size, width] float32.
        """
        gate, experts = inputs[0], inputs[1:]
        total = gate[:, 0:1] * experts[0]
        for i, expert in enumerate(experts[1:], start=1):
            total += gate[:, i : i + 1] * expert
        return total
