"""Ranking metrics per moment, from a page's hits and the number of relevant items.

All take `hits` [M, k'] bool (best place first, k' >= k), `sizes` [M] relevant items per
moment and `k`, and return [M] float64. A moment without relevant items gets 0; leave
such moments out before averaging. With `capped` (the default, souk's protocol) the
denominator of recall is min(size, k), so that a full page of hits scores 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from core.metrics.truth import BoolArray, FloatArray, IntArray

Metric = Callable[[BoolArray, IntArray, int], FloatArray]


def ndcg(hits: BoolArray, sizes: IntArray, k: int) -> FloatArray:
    """Binary gain over the best possible one at min(size, k).

    Järvelin and Kekäläinen, 2002: DCG = sum of hit / log2(place + 1), places from 1.
    """
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    gain = _first(hits, k) @ discounts
    ideal = np.concatenate([[0.0], np.cumsum(discounts)])[np.minimum(sizes, k)]
    return _ratio(gain, ideal)


def recall(
    hits: BoolArray, sizes: IntArray, k: int, *, capped: bool = True
) -> FloatArray:
    """Hits over relevant items; over min(size, k) when `capped`."""
    found = _first(hits, k).sum(axis=1)
    return _ratio(found, np.minimum(sizes, k) if capped else sizes)


def precision(hits: BoolArray, sizes: IntArray, k: int) -> FloatArray:
    """Hits over k, also where the page is shorter than k."""
    del sizes
    found: FloatArray = _first(hits, k).sum(axis=1)
    return found / k


def f1(hits: BoolArray, sizes: IntArray, k: int) -> FloatArray:
    """Harmonic mean of precision and (uncapped) recall: 2 hits / (k + size)."""
    found = _first(hits, k).sum(axis=1)
    return _ratio(2.0 * found, k + sizes)


def reciprocal_rank(hits: BoolArray, sizes: IntArray, k: int) -> FloatArray:
    """One over the place of the first hit, 0 without one; its mean is MRR@k."""
    del sizes
    top = _first(hits, k)
    places: FloatArray = 1.0 / (top.argmax(axis=1) + 1.0)
    return np.where(top.any(axis=1), places, 0.0)


def hit_rate(hits: BoolArray, sizes: IntArray, k: int) -> FloatArray:
    """1 where the first k places hold a hit, else 0."""
    del sizes
    found: FloatArray = _first(hits, k).max(axis=1, initial=0.0)
    return found


def average_precision(hits: BoolArray, sizes: IntArray, k: int) -> FloatArray:
    """Mean over min(size, k) relevant items of the precision at each one's place."""
    top = _first(hits, k)
    precisions = np.cumsum(top, axis=1) / np.arange(1, k + 1)
    return _ratio((precisions * top).sum(axis=1), np.minimum(sizes, k))


RANKING_METRICS: dict[str, Metric] = {
    "ndcg": ndcg,
    "recall": recall,
    "precision": precision,
    "f1": f1,
    "mrr": reciprocal_rank,
    "hit_rate": hit_rate,
    "map": average_precision,
}


def ranking_metrics(
    hits: BoolArray, sizes: IntArray, k_values: Sequence[int]
) -> dict[str, FloatArray]:
    """`{"ndcg@20": [M], ...}` for every metric of RANKING_METRICS and every k."""
    return {
        f"{name}@{k}": metric(hits, sizes, k)
        for name, metric in RANKING_METRICS.items()
        for k in k_values
    }


def _first(hits: BoolArray, k: int) -> FloatArray:
    """[M, k] float64: the first k places, zeros where the page is shorter."""
    top: FloatArray = np.asarray(hits, np.float64)[:, :k]
    return np.pad(top, ((0, 0), (0, k - top.shape[1])))


def _ratio(
    numerator: FloatArray | IntArray, denominator: FloatArray | IntArray
) -> FloatArray:
    """Element-wise quotient, 0 where the denominator is 0."""
    top = np.asarray(numerator, np.float64)
    bottom = np.asarray(denominator, np.float64)
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)
