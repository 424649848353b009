"""The union of the sources' best items, without duplicates, in the graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from trainer.funnel.scores import pick, segment_ids

LOWEST = -1e9
DEPTH = 256  # how many of a source's best are at hand; ranks beyond are all alike


class Candidates(NamedTuple):
    """What the ranker is asked to order."""

    rows: tf.Tensor  # [B, C] int32 catalogue rows; n pads, at the end
    sources: tf.Tensor  # [B, C] int32 index into SOURCES; -1 at pads


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
    best = tf.math.top_k(tf.reduce_max(blocks, axis=1), k=k).indices
    inside = best[:, None, :] + (tf.range(chunks) * columns)[None, :, None]
    inside = tf.reshape(inside, [-1, chunks * k])
    values, places = tf.math.top_k(tf.gather(padded, inside, batch_dims=1), k=k)
    return values, tf.gather(inside, places, batch_dims=1)


def best_rows(scores: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Values and columns [B, S, DEPTH] of the best of score rows [B, S, width]."""
    sources, width = scores.shape[1:]
    depth = min(DEPTH, width)
    found = top_rows(tf.reshape(scores, [-1, width]), depth)
    values, rows = (tf.reshape(part, [-1, sources, depth]) for part in found)
    return values, rows


def allowed_rows(
    rows: tf.Tensor,
    sizes: Sequence[int],
    allowed: tf.Tensor,
    all_scores: Callable[[], tf.Tensor],
) -> tf.Tensor:
    """Each source's best allowed rows, best first.

    Most filters leave enough among the D best; only if some row of the batch has fewer
    is every score row searched again.

    Args:
      rows: [B, S, D] int32, best first; n where the source says no more.
      sizes: how many of each source are wanted, at most D.
      allowed: [B, n] bool.
      all_scores: gives the score rows [B, S, n + 1]; LOWEST where a source is silent.

    Returns:
      [B, S, D] int32; n pads.
    """
    sources, depth = rows.shape[1:]
    allowed = tf.pad(allowed, [[0, 0], [0, 1]])  # never the pads
    width = allowed.shape[1]
    flat = tf.reshape(rows, [-1, sources * depth])
    fits = pick(tf.reshape(allowed, [-1]), flat, width)
    fits = tf.reshape(fits, [-1, sources, depth])
    enough = tf.math.count_nonzero(fits, axis=2, dtype=tf.int32) >= list(sizes)
    enough |= rows[:, :, -1] == width - 1

    def among_all() -> tf.Tensor:
        scores = tf.where(allowed[:, None, :], all_scores(), LOWEST)
        values, found = best_rows(scores)
        return tf.where(values > LOWEST / 2, found, width - 1)

    found = tf.cond(
        tf.reduce_all(enough), lambda: _first(rows, fits, width - 1), among_all
    )
    return tf.ensure_shape(found, rows.shape)


def _first(rows: tf.Tensor, fits: tf.Tensor, num_items: int) -> tf.Tensor:
    """The rows [B, S, D] that fit, moved to the front in their order; n pads."""
    sources, depth = rows.shape[1:]
    shape = [-1, sources * (depth + 1)]
    place = tf.cumsum(tf.cast(fits, tf.int32), axis=2) - 1
    # The slot after the last takes what does not fit.
    place = tf.where(fits, place, depth)
    place += tf.range(sources)[None, :, None] * (depth + 1)
    ids = segment_ids(place, shape[1])
    found = tf.math.unsorted_segment_max(
        tf.reshape(rows, [-1]), tf.reshape(ids, [-1]), tf.shape(rows)[0] * shape[1]
    )
    found = tf.reshape(found, [-1, sources, depth + 1])[:, :, :depth]
    return tf.where(found >= 0, found, num_items)


def unite(
    rows: tf.Tensor,
    sizes: Sequence[int],
    source_ids: Sequence[int],
    *,
    num_items: int,
    limit: int,
    precedence: Sequence[int] | None = None,
) -> Candidates:
    """Merges ranked lists, keeping for every item its best place.

    Items are taken in order of their place in a list relative to the list's length, so
    that each source gives its best when `limit` cuts.

    Args:
      rows: [B, S, D] int32, best first; `num_items` pads.
      sizes: how many of each list count, at most D.
      source_ids: the index of each list's source.
      limit: C.
      precedence: of the lists, lowest first, where places are alike; default: as they
        come.
    """
    lists, depth = rows.shape[1:]
    order = _order(sizes, precedence or range(len(sizes)))
    span = len(order)
    flat = tf.reshape(rows, [-1, lists * depth])
    # Entries by preference: the first mention of an item is its best place.
    entries = tf.gather(flat, [s * depth + i for s, i in order], axis=1)
    batch, width = tf.shape(entries)[0], num_items + 1
    ids = segment_ids(entries, width)
    turns = tf.broadcast_to(tf.range(span), tf.shape(entries))
    first = tf.math.unsorted_segment_min(
        tf.reshape(turns, [-1]), tf.reshape(ids, [-1]), batch * width
    )
    kept = (tf.gather(first, ids) == turns) & (entries < num_items)
    place = tf.cumsum(tf.cast(kept, tf.int32), axis=1) - 1
    place = tf.where(kept, tf.minimum(place, limit), limit)
    taken = tf.math.unsorted_segment_max(
        tf.reshape(turns, [-1]),
        tf.reshape(segment_ids(place, limit + 1), [-1]),
        batch * (limit + 1),
    )
    taken = tf.reshape(taken, [batch, limit + 1])[:, :limit]
    real, safe = taken >= 0, tf.maximum(taken, 0)
    sources = tf.constant([source_ids[s] for s, _ in order], tf.int32)
    return Candidates(
        rows=tf.where(real, tf.gather(entries, safe, batch_dims=1), num_items),
        sources=tf.where(real, tf.gather(sources, safe), -1),
    )


def _order(sizes: Sequence[int], precedence: Sequence[int]) -> list[tuple[int, int]]:
    """(list, place) of all entries by (place / list length), then precedence."""
    flat = [
        ((i + 1) / size, precedence[s], s, i)
        for s, size in enumerate(sizes)
        for i in range(size)
    ]
    return [(s, i) for _, _, s, i in sorted(flat)]
