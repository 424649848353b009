"""Rows of a batch that ask about one person and moment are answered together."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

# Rows that share a moment beyond this many become another group, so that one long
# group does not make all short ones long.
MOST = 32


class SameMoments:
    """Groups of the rows of a batch with equal inputs, and the way there and back.

    What a funnel computes of a moment costs far more than what it computes of one
    candidate, and batch scoring sends a row per candidate.

    Args:
      inputs: [B] or [B, W] tensors of string, int64 or other integers.
    """

    def __init__(self, inputs: Mapping[str, tf.Tensor], most: int = MOST) -> None:
        keys = tf.concat([_numbers(value) for value in inputs.values()], axis=1)
        same = tf.raw_ops.UniqueV2(x=keys, axis=[0]).idx
        order = tf.argsort(same, stable=True)
        ranked = tf.gather(same, order)
        places = tf.range(tf.size(same)) - tf.searchsorted(ranked, ranked)
        columns = places % most
        begins = tf.cast(columns == 0, tf.int32)
        cells = tf.stack([tf.cumsum(begins) - 1, columns], axis=1)
        widest = tf.reduce_max(tf.concat([[0], columns], axis=0)) + 1
        shape = tf.stack([tf.reduce_sum(begins), widest])
        # [U, P] row numbers; B where a group has fewer than P rows.
        members = tf.tensor_scatter_nd_update(
            tf.fill(shape, tf.size(same)), cells, order
        )
        self._members = members
        cell = cells[:, 0] * widest + columns
        self._cells = tf.scatter_nd(order[:, None], cell, tf.shape(cell))  # [B]

    def first(self, values: tf.Tensor) -> tf.Tensor:
        """[U, ...]: what the rows of each group have in common, of [B, ...]."""
        return tf.gather(values, self._members[:, 0])

    def side_by_side(self, candidates: tf.Tensor) -> tf.Tensor:
        """[U, P * C] string: the candidates [B, C] of each group; '' pads."""
        none = tf.fill([1, tf.shape(candidates)[1]], "")
        found = tf.gather(tf.concat([candidates, none], axis=0), self._members)
        groups, rows, each = tf.unstack(tf.shape(found))
        return tf.reshape(found, [groups, rows * each])

    def apart(self, values: tf.Tensor) -> tf.Tensor:
        """[B, C] of [U, P * C]: each row's own."""
        groups, rows = tf.unstack(tf.shape(self._members))
        each = tf.shape(values)[1] // rows
        return tf.gather(tf.reshape(values, [groups * rows, each]), self._cells)


def _numbers(values: tf.Tensor) -> tf.Tensor:
    """[B, W] int64 that are equal where the values are (a string by its hash)."""
    if values.dtype == tf.string:
        values = tf.strings.to_hash_bucket_fast(values, tf.int64.max)
    values = tf.cast(values, tf.int64)
    return values if values.shape.rank == 2 else values[:, None]
