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
    bins = quantile_bins(predicted, num_bins)
    gaps = np.bincount(bins, predicted) - np.bincount(bins, truth)
    return float(np.abs(gaps).sum() / len(truth))


def quantile_bins(values: npt.ArrayLike, num_bins: int) -> npt.NDArray[np.int64]:
    """[N] bin of each value: about equally many in each, equal values in one."""
    found, inverse = np.unique(np.asarray(values).ravel(), return_inverse=True)
    inverse = inverse.reshape(-1)
    counts = np.bincount(inverse, minlength=len(found))
    before = np.cumsum(counts) - counts
    return np.asarray((before * num_bins // max(len(inverse), 1))[inverse], np.int64)


def _average_ranks(values: FloatArray) -> FloatArray:
    """[N] float64 ranks from 1; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: FloatArray = (last - (counts - 1) / 2.0)[inverse.reshape(-1)]
    return ranks
