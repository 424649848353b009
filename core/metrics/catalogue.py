"""What pages do to the catalogue: coverage, novelty, diversity, popularity bias.

`recommended` is [M, k] int64 catalogue rows; rows outside 0 .. num_items - 1 are empty
places and count for nothing.
"""

from __future__ import annotations

import numpy as np

from core.metrics.truth import BoolArray, FloatArray, IntArray


def catalogue_coverage(recommended: IntArray, num_items: int) -> float:
    """Share of the catalogue that appears on at least one page."""
    shown = np.unique(recommended[_valid(recommended, num_items)])
    return len(shown) / num_items if num_items else 0.0


def novelty(recommended: IntArray, item_counts: IntArray) -> float:
    """Mean self-information -log2 p of the recommended items, in bits.

    Args:
      recommended: [M, k] catalogue rows.
      item_counts: [n] events (or users) per item in the training data; p is the count
        plus one over the sum, so that unseen items stay finite.
    """
    smoothed = np.asarray(item_counts, np.float64) + 1.0
    information = -np.log2(smoothed / smoothed.sum())
    return _mean_over(recommended, information)


def mean_popularity(recommended: IntArray, item_counts: IntArray) -> float:
    """Average recommendation popularity: mean training count of the items shown."""
    return _mean_over(recommended, np.asarray(item_counts, np.float64))


def exposure_gini(recommended: IntArray, num_items: int) -> float:
    """Gini coefficient of how often items are shown: 0 all equally, 1 one item only."""
    valid = _valid(recommended, num_items)
    shown = np.sort(np.bincount(recommended[valid], minlength=num_items))
    total = shown.sum()
    if total == 0 or num_items < 2:
        return 0.0
    ranks = np.arange(1, num_items + 1)
    spread = float(((2 * ranks - num_items - 1) * shown).sum())
    return spread / (float(total) * (num_items - 1))


def intra_list_diversity(
    recommended: IntArray, item_vectors: FloatArray, *, batch_size: int = 512
) -> float:
    """Mean over pages of the mean pairwise cosine distance between their items.

    Args:
      recommended: [M, k] catalogue rows; pages with fewer than two items are left out.
      item_vectors: [n, d], L2-normalized (a zero row is at distance 1 from all others).
      batch_size: pages per step; memory is batch_size * k * d floats.
    """
    padded = np.vstack([item_vectors, np.zeros((1, item_vectors.shape[1]))])
    squares = (padded**2).sum(axis=1)
    distances = []
    for start in range(0, len(recommended), batch_size):
        page = recommended[start : start + batch_size]
        valid = _valid(page, len(item_vectors))
        rows = np.where(valid, page, len(item_vectors))
        sums = padded[rows].sum(axis=1)
        pairs = (sums**2).sum(axis=1) - squares[rows].sum(axis=1)
        count = valid.sum(axis=1)
        some = count > 1
        similarity = pairs[some] / (count[some] * (count[some] - 1))
        distances.append(1.0 - similarity)
    values = np.concatenate(distances) if distances else np.empty(0)
    return float(values.mean()) if len(values) else 0.0


def _valid(recommended: IntArray, num_items: int) -> BoolArray:
    return (recommended >= 0) & (recommended < num_items)


def _mean_over(recommended: IntArray, values: FloatArray) -> float:
    rows = recommended[_valid(recommended, len(values))]
    return float(values[rows].mean()) if len(rows) else 0.0
