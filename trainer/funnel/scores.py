"""Dense score rows: what each source thinks of every item of the catalogue."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def segment_ids(rows: tf.Tensor, num_items: int) -> tf.Tensor:
    """[B, ...] catalogue rows to ids in a flat [B * (n + 1)] score table."""
    batch = tf.range(tf.shape(rows)[0]) * (num_items + 1)
    return rows + tf.reshape(batch, [-1] + [1] * (len(rows.shape) - 1))


def dense_sum(values: tf.Tensor, rows: tf.Tensor, num_items: int) -> tf.Tensor:
    """[B, n + 1, K] sums of values [B, M, K] by their catalogue rows [B, M]."""
    return _dense(tf.math.unsorted_segment_sum, values, rows, num_items)


def dense_max(values: tf.Tensor, rows: tf.Tensor, num_items: int) -> tf.Tensor:
    """[B, n + 1, K] maxima of values [B, M, K]; the lowest float where none is."""
    return _dense(tf.math.unsorted_segment_max, values, rows, num_items)


def neighbour_scores(
    rows: tf.Tensor,
    weights: tf.Tensor,
    neighbour_rows: tf.Tensor,
    neighbour_values: tf.Tensor,
    *,
    best: bool = False,
) -> tf.Tensor:
    """Sum (or, with `best`, the largest) of the history's neighbour lists, weighted.

    Args:
      rows: [B, H] int32 history rows; n pads.
      weights: [B, H] float32.
      neighbour_rows: [n + 1, N] int32; n pads, and row n is all n.
      neighbour_values: [n + 1, N] float32; 0 pads.

    Returns:
      [B, n + 1] float32; the last column belongs to the pads.
    """
    num_items = neighbour_rows.shape[0] - 1
    found = tf.gather(neighbour_rows, rows)
    values = tf.gather(neighbour_values, rows) * weights[:, :, None]
    batch = tf.shape(rows)[0]
    ids = segment_ids(found, num_items)
    reduce = tf.math.unsorted_segment_max if best else tf.math.unsorted_segment_sum
    flat = reduce(
        tf.reshape(values, [-1]), tf.reshape(ids, [-1]), batch * (num_items + 1)
    )
    flat = tf.maximum(flat, 0.0) if best else flat
    return tf.reshape(flat, [batch, num_items + 1])


def pick(dense: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Values of [B, n + 1(, K)] at rows [B, C]: [B, C(, K)]."""
    width = dense.shape[1]
    shape = tf.concat([[-1], tf.shape(dense)[2:]], axis=0)
    flat = tf.reshape(dense, shape)
    flat.set_shape([None, *dense.shape[2:]])
    return tf.gather(flat, segment_ids(rows, width - 1))


def _dense(
    reduce: Callable[..., tf.Tensor], values: tf.Tensor, rows: tf.Tensor, num_items: int
) -> tf.Tensor:
    batch, width = tf.shape(rows)[0], values.shape[-1]
    ids = tf.reshape(segment_ids(rows, num_items), [-1])
    flat = reduce(tf.reshape(values, [-1, width]), ids, batch * (num_items + 1))
    return tf.reshape(flat, [batch, num_items + 1, width])
