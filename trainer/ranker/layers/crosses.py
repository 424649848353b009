"""Cross blocks of DCN-v2 (Wang et al. 2021) out of Dense, Multiply and Add.

The same function as `tfrs.layers.dcn.Cross` (a test holds them equal), spelled in
layers that TF-MOT can prune and quantize.
"""

from __future__ import annotations

import tensorflow as tf
import tf_keras


def cross(x0: tf.Tensor, x: tf.Tensor, *, rank: int, name: str) -> tf.Tensor:
    """x0 * (W x + b) + x.

    Args:
      x0: [batch_size, width] float32, the block's first input.
      x: [batch_size, width] float32, the previous cross's output.
      rank: rank of W as a product of two matrices; 0 is a full matrix.
      name: prefix of the layers' names.

    Returns:
      [batch_size, width] float32.

    Example:
      >>> inputs = tf_keras.Input([8])
      >>> crossed = cross(inputs, inputs, rank=0, name="cross_0")
    """
    width = int(x.shape[-1])
    if 0 < rank < width:
        x_low = tf_keras.layers.Dense(rank, use_bias=False, name=f"{name}_u")(x)
    else:
        x_low = x
    projected = tf_keras.layers.Dense(width, name=f"{name}_v")(x_low)
    product = tf_keras.layers.Multiply(name=f"{name}_multiply")([x0, projected])
    return tf_keras.layers.Add(name=f"{name}_add")([product, x])


def crosses(x0: tf.Tensor, *, count: int, rank: int, name: str) -> tf.Tensor:
    """`count` crosses stacked; shapes as in `cross`."""
    x = x0
    for i in range(count):
        x = cross(x0, x, rank=rank, name=f"{name}_{i}")
    return x
