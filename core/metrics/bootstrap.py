"""Bootstrap confidence intervals over moments."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from core.metrics.truth import FloatArray

_BLOCK_CELLS = 2_000_000  # resample counts held at once


class Interval(NamedTuple):
    """A mean and its percentile-bootstrap interval."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        return {"value": self.value, "low": self.low, "high": self.high}


def mean_interval(
    values: FloatArray,
    *,
    num_samples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Mean of `values` [M] with the percentile bootstrap over its entries.

    Equal seeds and lengths draw equal resamples. No values give zeros.
    """
    column = np.asarray(values, np.float64)[:, np.newaxis]
    (interval,) = mean_intervals(
        column, num_samples=num_samples, confidence=confidence, seed=seed
    )
    return interval


def mean_intervals(
    values: FloatArray,
    *,
    num_samples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> list[Interval]:
    """`mean_interval` of each column of `values` [M, V], over the same resamples."""
    values = np.asarray(values, np.float64)
    if len(values) == 0:
        return [Interval(0.0, 0.0, 0.0)] * values.shape[1]
    means = _resampled_means(values, num_samples, seed)
    tail = (1.0 - confidence) / 2.0
    lows, highs = np.quantile(means, [tail, 1.0 - tail], axis=0)
    centres = values.mean(axis=0)
    return [
        Interval(float(centre), float(low), float(high))
        for centre, low, high in zip(centres, lows, highs, strict=True)
    ]


def _resampled_means(values: FloatArray, num_samples: int, seed: int) -> FloatArray:
    """[num_samples, V]: a resample is how often each row was drawn, so a product."""
    generator = np.random.default_rng(seed)
    num_rows = len(values)
    block = max(1, _BLOCK_CELLS // num_rows)
    means = []
    for start in range(0, num_samples, block):
        size = min(block, num_samples - start)
        draws = generator.integers(0, num_rows, (size, num_rows))
        draws += np.arange(size)[:, np.newaxis] * num_rows
        counts = np.bincount(draws.ravel(), minlength=size * num_rows)
        means.append(counts.reshape(size, num_rows) @ values / num_rows)
    return np.concatenate(means)
