"""Texts as 64-bit numbers, which a sorted list finds inside the graph.

FarmHash: two of a million texts share one with probability 5e-8. Unlike a hash table, a
sorted list is a variable, which can be replaced under a graph that is traced already.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

# Fingerprints are 0 .. 2^63 - 2, so the last int64 is free to end a sorted list.
END = np.iinfo(np.int64).max


def fingerprints(texts: tf.Tensor) -> tf.Tensor:
    """int64 of each string, the shape of `texts`."""
    return tf.strings.to_hash_bucket_fast(texts, int(END))


def fingerprints_of(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    """[N] int64, the same of Python strings."""
    found = fingerprints(tf.constant(list(texts), tf.string))
    return np.asarray(found.numpy(), np.int64)


def find(sorted_list: tf.Tensor, keys: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Where keys stand in a list that ends with END.

    Args:
      sorted_list: [K + 1] int64, ascending.
      keys: [M] int64.

    Returns:
      [M] int32 places, and [M] bool: whether the key is there; else its place is any.
    """
    place = tf.searchsorted(sorted_list, keys)
    return place, tf.gather(sorted_list, place) == keys
