"""Tables of small numbers that a GPU can hold.

TensorFlow keeps int32 variables on the host: they have no GPU kernel. Those of uint32
have one, take the same room, and become int32 by a bitcast, which copies nothing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import tensorflow as tf


def integer_variable(
    values: npt.NDArray[np.integer], name: str, shape: list[int | None] | None = None
) -> tf.Variable:
    """A variable of numbers 0 .. 2^31 - 1, stored as uint32."""
    stored = values.astype(np.uint32)
    return tf.Variable(stored, trainable=False, name=name, shape=shape)


def integers(stored: tf.Tensor | tf.Variable) -> tf.Tensor:
    """What was stored, or what was gathered of it, as int32."""
    return tf.bitcast(stored, tf.int32)
