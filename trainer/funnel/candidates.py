"""Exact top-k over score rows, in the graph."""

from __future__ import annotations

import tensorflow as tf

from trainer.funnel.scores import pick

LOWEST = -1e9


def top_rows(
    scores: tf.Tensor, k: int, chunks: int = 16
) -> tuple[tf.Tensor, tf.Tensor]:
    """Values and columns of the k largest per row, as `tf.math.top_k`, exactly.

    Of many thousand columns it first takes the maxima of strided chunks: an item
    among the k best stands in one of the k chunks with the best maxima.

    Args:
      scores: [R, n] float32 with static n.
      chunks: best near the root of n / k; a divisor of n spares a copy.
    """
    n = int(scores.shape[1])
    k = min(k, n)
    if n < 64 * k:
        return tuple(tf.math.top_k(scores, k=k))
    columns = -(-n // chunks)
    padded = tf.pad(
        scores, [[0, 0], [0, columns * chunks - n]], constant_values=2 * LOWEST
    )
    blocks = tf.reshape(padded, [-1, chunks, columns])
    best = tf.math.top_k(tf.reduce_max(blocks, axis=1), k=k, sorted=False).indices
    inside = best[:, None, :] + (tf.range(chunks) * columns)[None, :, None]
    inside = tf.reshape(inside, [-1, chunks * k])
    # From a flat table, since a gather with a batch copies one number at a time.
    found = pick(tf.reshape(padded, [-1]), inside, columns * chunks)
    values, places = tf.math.top_k(found, k=k)
    return values, tf.gather(inside, places, batch_dims=1)


def best_candidates(
    scores: tf.Tensor, k: int, allowed: tf.Tensor | None = None
) -> tf.Tensor:
    """[B, min(k, n)] int32: the best rows of score rows [B, n + 1], best first.

    Args:
      scores: the last column belongs to the pads; LOWEST rules an item out.
      allowed: [B, n] bool, applied before the top-k, so that a narrow filter still
        fills the page; None: everything.

    Returns:
      Catalogue rows; n where nothing is left.
    """
    pad = int(scores.shape[1]) - 1
    if allowed is not None:
        scores = tf.where(tf.pad(allowed, [[0, 0], [0, 1]]), scores, LOWEST)
    values, rows = top_rows(scores, min(k, pad))
    return tf.where(values > LOWEST / 2, rows, pad)
