"""Whether titles are, or begin with, a query's words: hashes of all beginnings."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer.search.inverted_index import FieldTerms

IntArray = npt.NDArray[np.int64]

# Odd and large: powers of it weigh the places of a sequence's 64-bit hash.
_BASE = 0x9E3779B97F4A7C15


class TitleHashes(tf.Module):
    """One lookup per pair of query and item, whatever their lengths."""

    def __init__(self, title: FieldTerms, max_query_terms: int) -> None:
        super().__init__(name="title_hashes")
        starts, hashes = _prefix_hashes(title)
        self._starts = tf.Variable(starts, trainable=False, name="starts")
        self._hashes = tf.Variable(hashes, trainable=False, name="hashes")
        self._powers = tf.constant(_powers(max_query_terms))

    def matches(
        self, terms: tf.Tensor, counts: tf.Tensor, words: tf.Tensor, rows: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Whether an item's title is the query, and whether it begins with its words.

        Args:
          terms: [B, T] int32.
          counts: [B] int64 terms of each query.
          words: [B] int64 how many of them, the first ones, are no pairs.
          rows: [B, C] int32.

        Returns:
          Two of [B, C] bool.
        """
        places = tf.range(tf.shape(terms, tf.int64)[1])
        values = (tf.cast(terms, tf.int64) + 1) * self._powers[: tf.shape(terms)[1]]
        starts = self._starts.read_value()
        start, end = tf.gather(starts, rows), tf.gather(starts, rows + 1)
        hashes = self._hashes.read_value()

        def begins(count: tf.Tensor) -> tf.Tensor:
            inside = places < count[:, tf.newaxis]
            wanted = tf.reduce_sum(tf.where(inside, values, 0), axis=1, keepdims=True)
            last = start + count[:, tf.newaxis] - 1
            fits = (last < end) & (count[:, tf.newaxis] > 0)
            return fits & (tf.gather(hashes, tf.where(fits, last, 0)) == wanted)

        exact = begins(counts) & (end - start == counts[:, tf.newaxis])
        return exact, begins(words)


def _prefix_hashes(title: FieldTerms) -> tuple[IntArray, IntArray]:
    """Starts [n + 2] and, for each title, the hash of its first 1, 2, ... terms."""
    if not len(title.terms):
        return np.zeros(len(title.splits) + 1, np.int64), np.zeros(1, np.int64)
    lengths = np.diff(title.splits)
    begin = np.repeat(title.splits[:-1], lengths)
    powers = _powers(int(lengths.max()))
    values = (title.terms.astype(np.int64) + 1) * powers[np.arange(len(begin)) - begin]
    sums = np.cumsum(values)  # wraps around, as the sums in the graph do
    before = np.concatenate([[0], sums])[begin]
    starts = np.append(title.splits, title.splits[-1]).astype(np.int64)
    return starts, sums - before


def _powers(count: int) -> IntArray:
    """[count] `_BASE` ** place modulo 2 ** 64, as int64."""
    powers = np.full(count, _BASE, np.uint64)
    powers[:1] = 1
    return np.cumprod(powers).view(np.int64)
