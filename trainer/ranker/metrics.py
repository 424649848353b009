"""NDCG of scored candidate rows, vectorized over all moments at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainer.ranker.dataset import CandidateRows, Ints


def ndcg(
    rows: CandidateRows,
    moments: Ints,
    scores: npt.NDArray[np.float32],
    *,
    event: str,
    top_k: int,
    new_only: bool = False,
) -> npt.NDArray[np.float64]:
    """NDCG@top_k of each moment; NaN where nothing was there to be found.

    The ideal counts min(true items, top_k) items, retrieved or not.

    Args:
      rows: the candidates.
      moments: [m] their numbers.
      scores: float32, one for each row of `rows.rows_of(moments)`.
      event: the event type that makes an item true.
      top_k: page length.
      new_only: leave out owned items, in the page and in the truth.
    """
    numbers = rows.rows_of(moments)
    kind = rows.event_types.index(event)
    labels = rows.labels[numbers, kind]
    sizes = rows.starts[moments + 1] - rows.starts[moments]
    group = np.repeat(np.arange(len(moments)), sizes)
    truth = rows.truth_size[moments, kind].astype(np.int64)
    if new_only:
        owned = rows.owned[numbers]
        truth = truth - np.bincount(group, labels * owned, len(moments)).astype(int)
        scores = np.where(owned, -np.inf, scores)
        labels = labels * ~owned
    order = np.lexsort((-scores, group))
    ranks = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    gains = np.where(ranks < top_k, labels[order] / np.log2(ranks + 2.0), 0.0)
    dcg = np.bincount(group, gains, len(moments))
    ideal = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(top_k) + 2.0))])
    best = ideal[np.clip(truth, 0, top_k)]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(best > 0, dcg / best, np.nan)


def mean(values: npt.NDArray[np.float64]) -> float:
    """Mean of the moments that had anything to find; 0 where none had."""
    found = values[~np.isnan(values)]
    return float(found.mean()) if len(found) else 0.0
