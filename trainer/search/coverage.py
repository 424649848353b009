"""Which share of a query an item holds, by field: idf sums in 16-bit counters."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.config.lexical import FIELDS
from trainer.search.inverted_index import InvertedIndex

# Where a counter looks. A title, a category and a brand say what an item is; what else
# a description mentions, it need not be.
NAMED = "named"
COUNTERS: dict[str, tuple[str, ...]] = {
    "title": ("title",),
    "category": ("category",),
    # Of words alone: a pair of characters may span two words that were typed together.
    NAMED: ("title", "category", "brand"),
    "anywhere": FIELDS,
}
_COUNTER_BITS = 16
_COUNTER_MASK = (1 << _COUNTER_BITS) - 1
# idf is counted in steps of 1/60: 64 terms of idf 17, a word of one item in 24 million,
# fill a counter.
_STEPS = 60.0
_MAX_STEPS = 1023


def idf_steps(idf: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """[V] 1 to 1023: idf in whole steps; a term that every item holds counts too."""
    return np.clip(np.rint(idf * _STEPS), 1, _MAX_STEPS).astype(np.int64)


def coverage_codes(
    index: InvertedIndex, is_pair: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """[P] each posting's idf steps in the counters of the fields that hold it.

    Args:
      is_pair: [V] which terms are two characters that touch.
    """
    lengths = np.diff(index.splits)
    steps = np.repeat(idf_steps(index.idf), lengths)
    is_word = np.repeat(~is_pair, lengths)
    codes = np.zeros_like(steps)
    for place, (name, fields) in enumerate(COUNTERS.items()):
        bits = sum(1 << FIELDS.index(field) for field in fields)
        held = (index.held_in & bits) > 0
        if name == NAMED:
            held &= is_word
        codes |= (steps * held) << (_COUNTER_BITS * place)
    return codes


def counted(codes: tf.Tensor, name: str) -> tf.Tensor:
    """float32 of codes' shape: the counter of a name of COUNTERS."""
    bits = tf.constant(_COUNTER_BITS * list(COUNTERS).index(name), tf.int64)
    mask = tf.constant(_COUNTER_MASK, tf.int64)
    moved = tf.bitwise.right_shift(codes, bits)
    return tf.cast(tf.bitwise.bitwise_and(moved, mask), tf.float32)
