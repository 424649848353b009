"""The union of the sources' best items, without duplicates, in the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

LOWEST = -1e9
DEPTH = 256  # how many of a source's best are at hand; ranks beyond are all alike


class Candidates(NamedTuple):
    """What the ranker is asked to order."""

    rows: tf.Tensor  # [B, C] int32 catalogue rows; n pads, at the end
    sources: tf.Tensor  # [B, C] int32 index into SOURCES; -1 at pads


def top_rows(scores: tf.Tensor, k: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Values and columns of the k largest per row, as `tf.math.top_k`, exactly.

    Beyond a few thousand columns it first takes the maxima of strided chunks: an item
    among the k best stands in one of the k chunks with the best maxima.

    Args:
      scores: [R, n] float32 with static n.
    """
    n = int(scores.shape[1])
    k = min(k, n)
    chunks = 16 if n >= 64 * k else 4 if n >= 8 * k else 1
    if chunks == 1 or n < 2_048:
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


class BestRows(NamedTuple):
    """The best of a score row, ahead of any filter."""

    scores: tf.Tensor  # [B, n] float32; LOWEST where the source says nothing
    values: tf.Tensor  # [B, D] float32, the D largest
    rows: tf.Tensor  # [B, D] int32


def best_rows(scores: tf.Tensor) -> BestRows:
    """The DEPTH best of score rows [B, n]."""
    return BestRows(scores, *top_rows(scores, DEPTH))


def allowed_rows(
    sources: Sequence[BestRows],
    sizes: Sequence[int],
    allowed: tf.Tensor | None,
    num_items: int,
) -> list[tf.Tensor]:
    """Each source's best allowed rows [B, k], best first; `num_items` pads.

    Most filters leave enough among the D best, where a small top-k finds them; only
    if some row of the batch has fewer is the whole score row searched again.

    Args:
      sizes: k of each source, at most D.
      allowed: [B, n] bool; None allows everything.
    """
    sizes = [min(k, int(s.rows.shape[1])) for s, k in zip(sources, sizes, strict=True)]
    if allowed is None:
        return [
            tf.where(s.values[:, :k] > LOWEST / 2, s.rows[:, :k], num_items)
            for s, k in zip(sources, sizes, strict=True)
        ]
    fits = [
        tf.gather(allowed, s.rows, batch_dims=1) & (s.values > LOWEST / 2)
        for s in sources
    ]

    def among_best() -> list[tf.Tensor]:
        return [
            _first(s.rows, fit, k, num_items)
            for s, fit, k in zip(sources, fits, sizes, strict=True)
        ]

    def among_all() -> list[tf.Tensor]:
        found = []
        for s, k in zip(sources, sizes, strict=True):
            values, rows = top_rows(tf.where(allowed, s.scores, LOWEST), k)
            found.append(tf.where(values > LOWEST / 2, rows, num_items))
        return found

    enough = [
        (tf.reduce_sum(tf.cast(fit, tf.int32), axis=1) >= k)
        | (s.values[:, -1] <= LOWEST / 2)
        for s, fit, k in zip(sources, fits, sizes, strict=True)
    ]
    lists = tf.cond(tf.reduce_all(tf.stack(enough)), among_best, among_all)
    return [
        tf.ensure_shape(part, [None, k]) for part, k in zip(lists, sizes, strict=True)
    ]


def _first(rows: tf.Tensor, fit: tf.Tensor, k: int, num_items: int) -> tf.Tensor:
    """The first k rows that fit, in their order."""
    depth = int(rows.shape[1])
    place = tf.where(fit, tf.range(depth, 0, -1), 0)
    found, where = tf.math.top_k(place, k=k)
    return tf.where(found > 0, tf.gather(rows, where, batch_dims=1), num_items)


def unite(
    lists: Sequence[tf.Tensor], source_ids: Sequence[int], *, num_items: int, limit: int
) -> Candidates:
    """Merges ranked lists, keeping for every item its best place.

    Items are taken in order of their place in a list relative to the list's length, so
    that each source gives its best when `limit` cuts.

    Args:
      lists: S tensors [B, k_s] int32, best first; `num_items` pads.
      source_ids: the index of each list's source.
      limit: C.
    """
    rows = tf.concat(list(lists), axis=1)
    places = _places([int(part.shape[1]) for part in lists])
    span = len(places)
    # One int32/int64 key holds (row, order of preference); sorting finds duplicates.
    order = tf.constant([places.index(i) for i in range(span)], tf.int64)
    origin = [
        s
        for part, s in zip(lists, source_ids, strict=True)
        for _ in range(int(part.shape[1]))
    ]
    by_order = tf.constant([origin[i] for i in places], tf.int32)
    keys = tf.cast(rows, tf.int64) * span + order[None, :]
    keys = -tf.math.top_k(-keys, k=span).values
    found, order = keys // span, keys % span
    first = tf.concat(
        [tf.ones_like(found[:, :1], tf.bool), found[:, 1:] != found[:, :-1]], axis=1
    )
    kept = first & (found < num_items)
    order = tf.where(kept, order, span)
    taken = min(limit, span)
    best, where = tf.math.top_k(-order, k=taken)
    full = -best >= span
    picked = tf.gather(tf.cast(found, tf.int32), where, batch_dims=1)
    source = tf.gather(by_order, tf.minimum(tf.cast(-best, tf.int32), span - 1))
    picked = tf.where(full, num_items, picked)
    source = tf.where(full, -1, source)
    pad = [[0, 0], [0, limit - taken]]
    return Candidates(
        rows=tf.pad(picked, pad, constant_values=num_items),
        sources=tf.pad(source, pad, constant_values=-1),
    )


def _places(sizes: Sequence[int]) -> list[int]:
    """Flat positions of all list entries, by (place / list length), then list."""
    flat = [((i + 1) / size, s, i) for s, size in enumerate(sizes) for i in range(size)]
    starts = [sum(sizes[:s]) for s in range(len(sizes))]
    return [starts[s] + i for _, s, i in sorted(flat)]
