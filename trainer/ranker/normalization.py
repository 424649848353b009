"""Feature normalization: signed log1p, z-score, clipped; never NaN."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch

import numpy as np
import numpy.typing as npt
import tensorflow as tf

CLIP = 6.0  # findings: clipped at 6 standard deviations is as good as rank-gauss
_CHUNK_ROWS = 65_536
# A feature whose standard deviation is below this says nothing.
_MIN_STD = 1e-6


@dataclasses.dataclass(frozen=True, kw_only=True)
class Normalizer:
    """clip((sign(x) log1p|x| - mean) * inverse_std, +-6); NaN and constants give 0."""

    mean: npt.NDArray[np.float32]  # [F]
    inverse_std: npt.NDArray[np.float32]  # [F], 0 for a constant feature

    @classmethod
    def fit(
        cls, features: npt.NDArray[np.float32], rows: npt.NDArray[np.int64]
    ) -> Normalizer:
        """The normalizer of these rows' finite values.

        Args:
          features: [N, F] float32, may hold NaN and infinities.
          rows: row numbers to learn from; empty gives the all-constant normalizer.
        """
        width = features.shape[1]
        total, squares = np.zeros(width), np.zeros(width)
        count = np.zeros(width)
        low, high = np.full(width, np.inf), np.full(width, -np.inf)
        for start in range(0, len(rows), _CHUNK_ROWS):
            logs = signed_log1p(features[rows[start : start + _CHUNK_ROWS]])
            finite = np.isfinite(logs)
            low = np.minimum(low, logs.min(axis=0, initial=np.inf, where=finite))
            high = np.maximum(high, logs.max(axis=0, initial=-np.inf, where=finite))
            logs[~finite] = 0.0
            total += logs.sum(axis=0, dtype=np.float64)
            squares += np.einsum("ij,ij->j", logs, logs, dtype=np.float64)
            count += finite.sum(axis=0)
        mean = total / np.maximum(count, 1)
        std = np.sqrt(np.maximum(squares / np.maximum(count, 1) - mean**2, 0))
        # Rounding gives many equal values a spread, so the spread alone does not tell.
        varies = (low < high) & (std > _MIN_STD)
        inverse = np.where(varies, 1.0 / np.maximum(std, _MIN_STD), 0.0)
        return cls(mean=mean.astype(np.float32), inverse_std=inverse.astype(np.float32))

    def without(self, names: Sequence[str], patterns: Sequence[str]) -> Normalizer:
        """The same, with every feature whose name fits a pattern always 0.

        Args:
          names: [F] the features' names.
          patterns: as shells have them, `item_buyers_*`.
        """
        ignored = [any(fnmatch(name, p) for p in patterns) for name in names]
        kept = np.where(ignored, 0.0, self.inverse_std).astype(np.float32)
        return dataclasses.replace(self, inverse_std=kept)

    def apply_in_place(self, features: npt.NDArray[np.float32]) -> None:
        """Overwrites features [N, F] with their normalized values."""
        for chunk in _chunks(features):
            logs = signed_log1p(chunk)
            with np.errstate(invalid="ignore"):  # inf * 0 of a constant feature
                logs -= self.mean
                logs *= self.inverse_std
            logs[np.isnan(logs)] = 0.0
            np.clip(logs, -CLIP, CLIP, out=chunk)

    def apply(self, features: tf.Tensor) -> tf.Tensor:
        """The same in the graph: [..., F] float32 in and out."""
        logs = tf.sign(features) * tf.math.log1p(tf.abs(features))
        scaled = (logs - self.mean) * self.inverse_std
        scaled = tf.where(tf.math.is_nan(scaled), tf.zeros_like(scaled), scaled)
        return tf.clip_by_value(scaled, -CLIP, CLIP)

    def to_dict(self) -> dict[str, list[float]]:
        return {"mean": self.mean.tolist(), "inverse_std": self.inverse_std.tolist()}

    @classmethod
    def from_dict(cls, values: dict[str, list[float]]) -> Normalizer:
        return cls(
            mean=np.asarray(values["mean"], np.float32),
            inverse_std=np.asarray(values["inverse_std"], np.float32),
        )


def signed_log1p(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """sign(x) log(1 + |x|), a new array; NaN stays NaN, infinities stay."""
    logs = np.abs(values)
    np.log1p(logs, out=logs)
    return np.copysign(logs, values, out=logs)


def _chunks(features: npt.NDArray[np.float32]) -> Iterator[npt.NDArray[np.float32]]:
    for start in range(0, len(features), _CHUNK_ROWS):
        yield features[start : start + _CHUNK_ROWS]
