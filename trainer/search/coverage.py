"""Which share of a query an item holds, by field: idf sums in 16-bit counters."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.config.lexical import FIELDS
from trainer.search.inverted_index import InvertedIndex

# Coverage is told of these fields and, in the last counter, of all together.
COVERED = ("title", "category", "brand")
_COUNTER_BITS = 16
_COUNTER_MASK = (1 << _COUNTER_BITS) - 1
# idf is counted in steps of 1/60: 64 terms of idf 17, a word of one item in 24 million,
# fill a counter.
_STEPS = 60.0
_MAX_STEPS = 1023


def idf_steps(idf: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """[V] 1 to 1023: idf in whole steps; a term that every item holds counts too."""
    return np.clip(np.rint(idf * _STEPS), 1, _MAX_STEPS).astype(np.int64)


def coverage_codes(index: InvertedIndex) -> npt.NDArray[np.int64]:
    """[P] each posting's idf steps in the counters of the fields that hold it."""
    steps = np.repeat(idf_steps(index.idf), np.diff(index.splits))
    codes = steps << (_COUNTER_BITS * len(COVERED))
    for place, name in enumerate(COVERED):
        held = index.held_in >> FIELDS.index(name) & 1
        codes |= (steps * held) << (_COUNTER_BITS * place)
    return codes


def counted(codes: tf.Tensor, place: int) -> tf.Tensor:
    """float32 of codes' shape: the counter of COVERED[place], or the last one."""
    moved = tf.bitwise.right_shift(codes, tf.constant(_COUNTER_BITS * place, tf.int64))
    mask = tf.constant(_COUNTER_MASK, tf.int64)
    return tf.cast(tf.bitwise.bitwise_and(moved, mask), tf.float32)
