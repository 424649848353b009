"""Metrics of predicted probabilities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.metrics.truth import FloatArray


def area_under_curve(labels: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Chance that a positive scores above a negative, ties counting one half.

    The Mann-Whitney statistic over average ranks; 0.5 when either class is empty.

    Args:
      labels: [N], positive where > 0.5.
      scores: [N], any finite numbers.
    """
    positive = np.asarray(labels).ravel() > 0.5
    values = np.asarray(scores, np.float64).ravel()
    num_positive = int(positive.sum())
    num_negative = len(positive) - num_positive
    if num_positive == 0 or num_negative == 0:
        return 0.5
    rank_sum = _average_ranks(values)[positive].sum()
    wins = rank_sum - num_positive * (num_positive + 1) / 2.0
    return float(wins / (num_positive * num_negative))


def calibration_error(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike, *, num_bins: int = 15
) -> float:
    """Expected calibration error over bins of equally many rows.

    Sum over bins of (rows in bin / rows) * |mean probability - share of positives|
    (Naeini et al., 2015, with quantile bins: most probabilities of a shop are small).
    """
    truth = np.asarray(labels, np.float64).ravel()
    predicted = np.asarray(probabilities, np.float64).ravel()
    if len(truth) == 0:
        return 0.0
    order = np.argsort(predicted, kind="stable")
    total = 0.0
    for rows in np.array_split(order, min(num_bins, len(order))):
        gap = abs(predicted[rows].mean() - truth[rows].mean())
        total += gap * len(rows) / len(order)
    return float(total)


def _average_ranks(values: FloatArray) -> FloatArray:
    """[N] float64 ranks from 1; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: FloatArray = (last - (counts - 1) / 2.0)[inverse.reshape(-1)]
    return ranks
