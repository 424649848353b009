"""From scored candidates to a page: diversity, the best k, ids and reasons."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from core import signatures
from trainer.export.catalogue import Catalogue

# Below every real score; finite, so that sums and sigmoids stay finite too.
NOT_SHOWN = -1e9
# Below it a sigmoid is 0 in float32, which would say that nothing is shown.
_LEAST_SHOWN = -80.0


class Page(NamedTuple):
    """The best k of each request, best first."""

    rows: tf.Tensor  # [B, k] int32, num_items where the page is shorter
    scores: tf.Tensor  # [B, k] float32 in (0, 1], descending, 0 where shorter
    places: tf.Tensor  # [B, k] int32 of the rows among the candidates, 0 where shorter


def best_page(rows: tf.Tensor, scores: tf.Tensor, k: tf.Tensor, pad: int) -> Page:
    """The k best candidates of each request.

    Args:
      rows: [B, C] int32 catalogue rows, `pad` where there is no candidate.
      scores: [B, C] float32, any scale; shown through a sigmoid, which keeps the order.
      k: scalar int32; taken as 0 .. 100. The page has k slots even where C < k.
      pad: the row number that stands for no item.
    """
    k = tf.clip_by_value(k, 0, signatures.MAX_K)
    scores = tf.where(rows < pad, scores, NOT_SHOWN)
    if rows.shape[1] is None or rows.shape[1] < signatures.MAX_K:
        short = tf.maximum(k - tf.shape(rows)[1], 0)
        rows = tf.pad(rows, [[0, 0], [0, short]], constant_values=pad)
        scores = tf.pad(scores, [[0, 0], [0, short]], constant_values=NOT_SHOWN)
    best, picks = tf.math.top_k(scores, k=k)
    shown = best > NOT_SHOWN / 2
    squashed = tf.sigmoid(tf.maximum(best, _LEAST_SHOWN))
    # Vectorized, it rounds equal scores differently at the end of a row.
    squashed = tf.math.top_k(squashed, k=k).values
    return Page(
        rows=tf.where(shown, tf.gather(rows, picks, batch_dims=1), pad),
        scores=tf.where(shown, squashed, 0.0),
        places=tf.where(shown, picks, 0),
    )


def spread_categories(
    rows: tf.Tensor, scores: tf.Tensor, catalogue: Catalogue, penalty: float
) -> tf.Tensor:
    """[B, C] float32 scores, each lowered by `penalty` per better one of its category.

    Looks at the best 2 x MAX_K candidates and leaves the others out, which are on no
    page; items without a category are left as they are.
    """
    depth = tf.minimum(2 * signatures.MAX_K, tf.shape(rows)[1])
    best, picks = tf.math.top_k(scores, k=depth)
    leaves = tf.gather(catalogue.leaf_categories, tf.gather(rows, picks, batch_dims=1))
    same = (leaves[:, :, tf.newaxis] == leaves[:, tf.newaxis, :]) & (
        leaves[:, :, tf.newaxis] >= 0
    )
    # top_k sorts, so "better" is "before": the strict lower triangle.
    before = tf.linalg.band_part(tf.cast(same, tf.float32), -1, 0)
    better = tf.reduce_sum(before, axis=2) - tf.linalg.diag_part(before)
    shape = tf.shape(scores, out_type=tf.int32)
    flat = picks + shape[1] * tf.range(shape[0])[:, tf.newaxis]
    lowered = tf.tensor_scatter_nd_update(
        tf.fill([tf.size(scores)], NOT_SHOWN),
        tf.reshape(flat, [-1, 1]),
        tf.reshape(best - penalty * better, [-1]),
    )
    return tf.reshape(lowered, shape)
