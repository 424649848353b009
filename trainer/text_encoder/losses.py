"""The contrastive loss."""

from __future__ import annotations

import tensorflow as tf

_FORBIDDEN = -1e9


def contrastive_loss(
    left: tf.Tensor,
    right: tf.Tensor,
    forbidden: tf.Tensor,
    weights: tf.Tensor,
    temperature: float,
) -> tf.Tensor:
    """Scalar softmax loss in both directions (van den Oord et al., 2018, InfoNCE).

    Half the mean over i of w_i · −log softmax_j(l_i · r_j / temperature)[i], plus half
    of the same with left and right exchanged, over the batch's own right sides only.

    Args:
      left: [B, d] float32, norm 1.
      right: [B + H, d] float32, norm 1; row i belongs to left i, the last H are hard
        negatives.
      forbidden: [B, B + H] bool: belongs together too (an accidental hit), so it is
        no negative. The diagonal is ignored.
      weights: [B] float32.
    """
    size = tf.shape(left)[0]
    labels = tf.range(size)
    own = tf.one_hot(labels, tf.shape(right)[0], on_value=True, off_value=False)
    logits = tf.matmul(left, right, transpose_b=True) / temperature
    logits = tf.where(forbidden & ~own, _FORBIDDEN, logits)
    softmax = tf.nn.sparse_softmax_cross_entropy_with_logits
    forward = softmax(labels, logits)
    backward = softmax(labels, tf.transpose(logits[:, :size]))
    return tf.reduce_mean(weights * (forward + backward)) / 2.0
