"""How a query's words meet the fields of single items, for the ranker."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.config.lexical import FIELDS, LexicalConfig
from trainer.search.inverted_index import InvertedIndex

IntArray = npt.NDArray[np.int64]

COVERED = ("title", "category", "brand")
_BITS = len(COVERED)
# Odd and large: powers of it weigh the places of a sequence's 64-bit hash.
_BASE = 0x9E3779B97F4A7C15


class MatchFeatures(tf.Module):
    """Coverage by field, and whether a title is or begins with the query's words.

    Per item it keeps the distinct terms with the fields they stand in, and hashes of
    all beginnings of its title: a lookup costs the same for any length of the query.
    """

    def __init__(self, index: InvertedIndex, config: LexicalConfig) -> None:
        super().__init__(name="match_features")
        self._num_terms = len(index.terms) + 2  # unknown and pad
        self._codes = _variable(_codes(index, config.max_item_terms), "codes")
        starts, hashes = _prefix_hashes(index)
        self._title_starts = _variable(starts, "title_starts")
        self._title_hashes = _variable(hashes, "title_hashes")
        self._powers = tf.constant(_powers(config.max_query_terms))

    def coverage(
        self, terms: tf.Tensor, shares: tf.Tensor, rows: tf.Tensor
    ) -> tf.Tensor:
        """Shares of the query found in title, category, brand, and anywhere.

        Args:
          terms: [B, T] int32.
          shares: [B, T] float32, 0 at pads.
          rows: [B, C] int32; the row after the last is empty.

        Returns:
          [B, C, 4] float32.
        """
        batch = tf.cast(tf.shape(terms)[0], tf.int64)
        base = tf.range(batch)[:, tf.newaxis] * self._num_terms
        # One table of term weights per query; an item's terms look themselves up.
        weights = tf.math.unsorted_segment_sum(
            tf.reshape(shares, [-1]),
            tf.reshape(tf.cast(terms, tf.int64) + base, [-1]),
            batch * self._num_terms,
        )
        codes = tf.cast(tf.gather(self._codes.read_value(), rows), tf.int64)
        ids = tf.bitwise.right_shift(codes, _BITS)
        found = tf.gather(weights, ids + base[:, :, tf.newaxis])  # [B, C, L]
        columns = [
            tf.reduce_sum(tf.where(codes & (1 << bit) > 0, found, 0.0), axis=2)
            for bit in range(_BITS)
        ]
        return tf.stack([*columns, tf.reduce_sum(found, axis=2)], axis=2)

    def titles(
        self, terms: tf.Tensor, counts: tf.Tensor, words: tf.Tensor, rows: tf.Tensor
    ) -> tf.Tensor:
        """Whether an item's title is the query, and whether it begins with its words.

        Args:
          terms: [B, T] int32.
          counts: [B] int64 terms of each query.
          words: [B] int64 how many of them, the first ones, are no pairs.
          rows: [B, C] int32.

        Returns:
          [B, C, 2] float32.
        """
        places = tf.range(tf.shape(terms, tf.int64)[1])
        values = (tf.cast(terms, tf.int64) + 1) * self._powers[: tf.shape(terms)[1]]
        starts = self._title_starts.read_value()
        start, end = tf.gather(starts, rows), tf.gather(starts, rows + 1)
        hashes = self._title_hashes.read_value()

        def begins(count: tf.Tensor) -> tf.Tensor:
            inside = places < count[:, tf.newaxis]
            wanted = tf.reduce_sum(tf.where(inside, values, 0), axis=1, keepdims=True)
            last = start + count[:, tf.newaxis] - 1
            fits = (last < end) & (count[:, tf.newaxis] > 0)
            return fits & (tf.gather(hashes, tf.where(fits, last, 0)) == wanted)

        exact = begins(counts) & (end - start == counts[:, tf.newaxis])
        return tf.cast(tf.stack([exact, begins(words)], axis=2), tf.float32)


def _variable(values: np.ndarray, name: str) -> tf.Variable:
    return tf.Variable(values, trainable=False, name=name)


def _codes(index: InvertedIndex, limit: int) -> npt.NDArray[np.int32]:
    """[n + 1, L] distinct terms: id << 3 | fields; short fields first, then the rest.

    Pads are the pad term, whose weight is 0.
    """
    n, num_terms = index.num_items, len(index.terms)
    keys, bits, turns = [], [], []
    for turn, name in enumerate(name for name in FIELDS if name in index.fields):
        field = index.fields[name]
        rows = np.repeat(np.arange(n, dtype=np.int64), np.diff(field.splits))
        keys.append(rows * num_terms + field.terms)
        bit = 1 << COVERED.index(name) if name in COVERED else 0
        bits.append(np.full(len(rows), bit))
        turns.append(turn + np.zeros(len(rows), np.int64))
    distinct, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    masks = np.zeros(len(distinct), np.int64)
    np.bitwise_or.at(masks, inverse, np.concatenate(bits))
    first = np.full(len(distinct), len(FIELDS))
    np.minimum.at(first, inverse, np.concatenate(turns))
    rows, terms = np.divmod(distinct, max(num_terms, 1))
    order = np.lexsort((first, rows))
    rows, codes = rows[order], (terms << _BITS | masks)[order]
    counts = np.bincount(rows, minlength=n)
    places = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    width = int(np.clip(counts.max(initial=0), 1, limit))
    table = np.full((n + 1, width), (num_terms + 1) << _BITS, np.int32)
    kept = places < width
    table[rows[kept], places[kept]] = codes[kept]
    return table


def _prefix_hashes(index: InvertedIndex) -> tuple[IntArray, IntArray]:
    """Starts [n + 2] and, for each title, the hash of its first 1, 2, ... terms."""
    title = index.fields.get("title")
    if title is None or not len(title.terms):
        return np.zeros(index.num_items + 2, np.int64), np.zeros(1, np.int64)
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
