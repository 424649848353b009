"""How a query's words meet the fields of single items, for the ranker."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.config.lexical import FIELDS, LexicalConfig
from trainer.search.inverted_index import InvertedIndex

IntArray = npt.NDArray[np.int64]

# Coverage is told of these fields and of all together.
COVERED = ("title", "category", "brand")
# Odd and large: powers of it weigh the places of a sequence's 64-bit hash.
_BASE = 0x9E3779B97F4A7C15


class MatchFeatures(tf.Module):
    """Coverage by field, and whether a title is or begins with the query's words.

    Per item it keeps the distinct terms of each field, and hashes of all beginnings of
    its title: a lookup costs the same for any length of the query.
    """

    def __init__(self, index: InvertedIndex, config: LexicalConfig) -> None:
        super().__init__(name="match_features")
        self._num_terms = len(index.terms) + 2  # unknown and pad
        item_terms, counts_for = _item_terms(index, config.max_field_terms)
        self._item_terms = _variable(item_terms, "item_terms")
        self._counts_for = _variable(counts_for, "counts_for")
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
        # One table of term weights per query; an item's terms look themselves up.
        batch = tf.shape(terms)[0]
        places = terms + tf.range(batch)[:, tf.newaxis] * self._num_terms
        weights = tf.math.unsorted_segment_sum(
            tf.reshape(shares, [-1]),
            tf.reshape(places, [-1]),
            batch * self._num_terms,
        )
        found = tf.gather(
            tf.reshape(weights, [batch, self._num_terms]),
            tf.gather(self._item_terms.read_value(), rows),
            batch_dims=1,
        )
        return tf.einsum("bcl,lf->bcf", found, self._counts_for.read_value())

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


def _item_terms(
    index: InvertedIndex, limit: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Distinct terms by item, field after field, and what each column counts for.

    A field's terms that an earlier field holds too stand in columns of their own, which
    count for the field but not once more for the item.

    Returns:
      [n + 1, L] term ids, the pad term where a field has fewer; [L, 4] 0 or 1.
    """
    n, num_terms = index.num_items, len(index.terms)
    blocks, counts_for = [np.zeros((n + 1, 0), np.int32)], [np.zeros((0, 4))]
    seen = np.zeros(0, np.int64)
    for name in (name for name in FIELDS if name in index.fields):
        field = index.fields[name]
        rows = np.repeat(np.arange(n, dtype=np.int64), np.diff(field.splits))
        keys = np.unique(rows * num_terms + field.terms)
        is_new = ~np.isin(keys, seen, assume_unique=True)
        seen = np.union1d(seen, keys)
        for chosen, anywhere in ((is_new, 1), (~is_new, 0)):
            block = _padded(*np.divmod(keys[chosen], max(num_terms, 1)), n, limit)
            blocks.append(np.where(block < 0, num_terms + 1, block))
            column = [*(float(name == covered) for covered in COVERED), anywhere]
            counts_for.append(np.tile(column, (block.shape[1], 1)))
    kept = np.concatenate(counts_for).any(axis=1)  # a description's repeats are not
    table = np.concatenate(blocks, axis=1)[:, kept].astype(np.int32)
    return table, np.concatenate(counts_for)[kept].astype(np.float32)


def _padded(rows: IntArray, terms: IntArray, n: int, limit: int) -> IntArray:
    """[n + 1, width <= limit] the terms of each row, rows ascending; -1 pads."""
    counts = np.bincount(rows, minlength=n)
    places = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    table = np.full((n + 1, min(int(counts.max(initial=0)), limit)), -1, np.int64)
    kept = places < table.shape[1]
    table[rows[kept], places[kept]] = terms[kept]
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
