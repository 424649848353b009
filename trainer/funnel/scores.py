"""Dense score rows: what each source thinks of every item of the catalogue."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def segment_ids(rows: tf.Tensor, width: int | tf.Tensor) -> tf.Tensor:
    """[B, ...] ids below `width` to ids in a flat [B * width] table."""
    batch = tf.range(tf.shape(rows)[0]) * width
    return rows + tf.reshape(batch, [-1] + [1] * (len(rows.shape) - 1))


def pick(flat: tf.Tensor, rows: tf.Tensor, width: int | tf.Tensor) -> tf.Tensor:
    """Values of a flat [B * width(, K)] table at rows [B, C]: [B, C(, K)]."""
    return tf.gather(flat, segment_ids(rows, width))


def pick_rows(dense: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Of score rows [B, S, width] the columns of catalogue rows [B, C]: [B, S, C]."""
    sources, width = dense.shape[1:]
    starts = tf.range(tf.shape(rows)[0] * sources) * width
    at = tf.reshape(starts, [-1, sources, 1]) + rows[:, None, :]
    return tf.gather(tf.reshape(dense, [-1]), at)


def group_sums(values: tf.Tensor, ids: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """[B, size, K] sums of values [B, H, K] by their ids [B, H] below `size`."""
    return _grouped(tf.math.unsorted_segment_sum, values, ids, size)


def group_maxima(values: tf.Tensor, ids: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """[B, size, K] maxima of values [B, H, K]; the lowest float where none is."""
    return _grouped(tf.math.unsorted_segment_max, values, ids, size)


def neighbour_sums(
    values: tf.Tensor,
    ids: tf.Tensor,
    owner: tf.Tensor,
    *,
    batch: tf.Tensor,
    sources: int,
    width: int,
) -> tf.Tensor:
    """Sums of the neighbour lists of V history slots, one score row per source.

    Args:
      values: [V, N] float32, weighted.
      ids: [V, N] int32, source * width + catalogue row.
      owner: [V] int32, whose history a slot is of.
      batch: B.

    Returns:
      [B, sources, width] float32; the last column belongs to the pads.
    """
    ids += owner[:, None] * (sources * width)
    flat = tf.math.unsorted_segment_sum(values, ids, batch * (sources * width))
    return tf.reshape(flat, [batch, sources, width])


def _grouped(
    reduce: Callable[..., tf.Tensor],
    values: tf.Tensor,
    ids: tf.Tensor,
    size: tf.Tensor,
) -> tf.Tensor:
    batch, width = tf.shape(values)[0], values.shape[-1]
    flat = tf.reshape(segment_ids(ids, size), [-1])
    sums = reduce(tf.reshape(values, [-1, width]), flat, batch * size)
    return tf.reshape(sums, [batch, size, width])
