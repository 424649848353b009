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
    sources, width = dense.shape[1], dense.shape[2] or tf.shape(dense)[2]
    starts = tf.range(tf.shape(rows)[0] * sources) * width
    at = tf.reshape(starts, [-1, sources, 1]) + rows[:, None, :]
    return tf.gather(tf.reshape(dense, [-1]), at)


def group_sums(values: tf.Tensor, ids: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """[B, size, K] sums of values [B, H, K] by their ids [B, H] below `size`."""
    return _grouped(tf.math.unsorted_segment_sum, values, ids, size)


def group_maxima(values: tf.Tensor, ids: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """[B, size, K] maxima of values [B, H, K]; the lowest float where none is."""
    return _grouped(tf.math.unsorted_segment_max, values, ids, size)


def weighted_sum(weights: tf.Tensor, vectors: tf.Tensor) -> tf.Tensor:
    """[B, d] sums of vectors [B, H, d] by weights [B, H].

    No matrix product: oneDNN compiles one for each new pair of B and H (130 us), and
    histories are of every length.
    """
    return tf.reduce_sum(weights[..., None] * vectors, axis=1)


def products_at(vectors: tf.Variable, person: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """[B, C] inner products, at least 0, of persons [B, d] and vectors [n, d] at rows.

    Args:
      rows: [B, C] int32.
    """
    # A gather straight from a variable makes each read of it as a whole a copy.
    found = tf.gather(vectors.read_value(), rows)
    return tf.nn.relu(tf.linalg.matvec(found, person))


def scatter_rows(
    places: tf.Tensor,
    values: tf.Tensor,
    *,
    batch: tf.Tensor,
    sources: int,
    width: int,
    more: tuple[tf.Tensor, tf.Tensor] | None = None,
) -> tf.Tensor:
    """Score rows from places and values; those of one place add up.

    Args:
      places: int32 of any shape, (owner * sources + source) * width + catalogue row.
      values: float32, as many.
      batch: B.
      more: a few more of both, added in place: joined to the others, those would be
        copied.

    Returns:
      [B, sources, width] float32; the last column belongs to the pads.
    """
    flat = tf.math.unsorted_segment_sum(values, places, batch * (sources * width))
    if more is not None:
        at, added = (tf.reshape(part, [-1]) for part in more)
        flat = tf.tensor_scatter_nd_add(flat, at[:, None], added)
    return tf.reshape(flat, [-1, sources, width])


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
