"""Bootstrap confidence intervals over moments."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from core.metrics.truth import FloatArray


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
    values = np.asarray(values, np.float64)
    if len(values) == 0:
        return Interval(0.0, 0.0, 0.0)
    means = _resampled_means(values, num_samples, seed)
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return Interval(float(values.mean()), float(low), float(high))


def paired_interval(
    values: FloatArray,
    baseline: FloatArray,
    *,
    num_samples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Mean of `values - baseline` over the same M moments, resampled in pairs.

    The difference is significant at `confidence` when the interval leaves out zero.
    """
    difference = np.asarray(values, np.float64) - np.asarray(baseline, np.float64)
    return mean_interval(
        difference, num_samples=num_samples, confidence=confidence, seed=seed
    )


def _resampled_means(values: FloatArray, num_samples: int, seed: int) -> FloatArray:
    """[num_samples] means of resamples with replacement, in blocks of bounded memory."""
    generator = np.random.default_rng(seed)
    block = max(1, 4_000_000 // len(values))
    means = [
        values[generator.integers(0, len(values), (size, len(values)))].mean(axis=1)
        for size in _blocks(num_samples, block)
    ]
    return np.concatenate(means)


def _blocks(total: int, block: int) -> list[int]:
    full, rest = divmod(total, block)
    return [block] * full + ([rest] if rest else [])
