"""From a head's logit to the probability of its event: Platt scaling, then isotonic."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Floats = npt.NDArray[np.float64]
# Knots lie at least so far apart; the graph's float32 tells numbers apart by 6e-8.
_MIN_GAP = 1e-6


@dataclasses.dataclass(frozen=True, kw_only=True)
class Calibrator:
    """p = interpolate(sigmoid(slope * logit + offset)) over the knots.

    Training rows are sampled (all positives, few negatives), which shifts the logits'
    offset by the logarithm of the sampling rate; the offset fitted on unsampled rows
    takes the shift back.
    """

    slope: float = 1.0
    offset: float = 0.0
    # Piecewise linear map of [0, 1] onto itself, ascending; two knots: the identity.
    knots_in: tuple[float, ...] = (0.0, 1.0)
    knots_out: tuple[float, ...] = (0.0, 1.0)

    def apply(self, logits: Floats | npt.NDArray[np.float32]) -> Floats:
        """Probabilities in [0, 1], same shape as `logits`."""
        p = _sigmoid(self.slope * np.asarray(logits, np.float64) + self.offset)
        return np.interp(p, self.knots_in, self.knots_out)

    def apply_tensor(self, logits: tf.Tensor) -> tf.Tensor:
        """The same in the graph, as a sum of hinges: no search, no gather."""
        p = tf.sigmoid(self.slope * logits + self.offset)
        if len(self.knots_in) == 2 and self.knots_in == self.knots_out:
            return p
        xs, ys = np.asarray(self.knots_in), np.asarray(self.knots_out)
        slopes = np.diff(ys) / np.maximum(np.diff(xs), 1e-12)
        bends = np.diff(slopes, prepend=0.0).astype(np.float32)
        hinges = tf.nn.relu(p[..., None] - xs[:-1].astype(np.float32))
        return tf.clip_by_value(
            np.float32(ys[0]) + tf.linalg.matvec(hinges, bends), 0.0, 1.0
        )

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Calibrator:
        return cls(
            slope=values["slope"],
            offset=values["offset"],
            knots_in=tuple(values["knots_in"]),
            knots_out=tuple(values["knots_out"]),
        )


def fit_calibrator(
    logits: npt.NDArray[np.float32], labels: npt.NDArray[Any], *, method: str
) -> Calibrator:
    """The calibrator of one head.

    Args:
      logits: [n] float32 of rows that are an unsampled picture of what is served.
      labels: [n], 0 or 1.
      method: "platt"; "isotonic", on top of Platt scaling; "none": a plain sigmoid.
    """
    if method == "none" or not len(labels):
        return Calibrator()
    slope, offset = _fit_platt(
        np.asarray(logits, np.float64), labels.astype(np.float64)
    )
    platt = Calibrator(slope=slope, offset=offset)
    positives = int(labels.sum())
    if method == "platt" or positives < 50 or positives > len(labels) - 50:
        return platt
    knots_in, knots_out = _fit_isotonic(platt.apply(logits), labels.astype(np.float64))
    return dataclasses.replace(platt, knots_in=knots_in, knots_out=knots_out)


def _fit_platt(logits: Floats, labels: Floats) -> tuple[float, float]:
    """Slope and offset by Newton's method on the log loss; a weak prior pulls to 1."""
    n, positives = len(labels), labels.sum()
    offset = _rate_offset(logits, (positives + 1.0) / (n + 2.0))
    if positives < 10 or positives > n - 10 or logits.std() < 1e-6:
        return 1.0, offset  # too little to bend the curve: match the rate
    theta, pull = np.array([1.0, offset]), 1.0
    for _ in range(30):
        p = _sigmoid(theta[0] * logits + theta[1])
        residual, weight = p - labels, p * (1 - p)
        gradient = np.array(
            [residual @ logits + pull * (theta[0] - 1.0), residual.sum()]
        )
        cross = weight @ logits
        hessian = np.array(
            [[weight @ (logits * logits) + pull, cross], [cross, weight.sum() + 1e-6]]
        )
        step = np.linalg.solve(hessian, gradient)
        theta = theta - step * min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < 1e-6:
            break
    # A score that ranks the wrong way round is not turned: p must rise with the logit.
    return (float(theta[0]), float(theta[1])) if theta[0] > 0 else (1.0, offset)


def _rate_offset(logits: Floats, rate: float) -> float:
    """The offset with which the probabilities' mean is `rate`, by bisection.

    The mean logit would not do: the largest few logits make up a rare event's rate.
    """
    log_odds = np.log(rate / (1.0 - rate))
    # Here all probabilities are at most, there at least the rate.
    low, high = log_odds - logits.max(), log_odds - logits.min()
    while high - low > 1e-9 * max(1.0, abs(low), abs(high)):
        middle = (low + high) / 2.0
        if _sigmoid(logits + middle).mean() < rate:
            low = middle
        else:
            high = middle
    return float(high)


def _fit_isotonic(
    probabilities: Floats, labels: Floats, max_bins: int = 40
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Knots of the monotone map, from bins that hold about equally many positives."""
    order = np.argsort(probabilities, kind="stable")
    p, y = probabilities[order], labels[order]
    bins = int(min(max_bins, max(y.sum() // 20, 1)))
    share = np.cumsum(y + y.mean()) / (y + y.mean()).sum()
    bin_of = np.minimum((share * bins).astype(int), bins - 1)
    # Equal probabilities stand in one bin: two knots in one place have any slope.
    _, first, same = np.unique(p, return_index=True, return_inverse=True)
    bin_of = bin_of[first][same]
    counts = np.bincount(bin_of, minlength=bins).astype(np.float64)
    kept = counts > 0
    xs = np.bincount(bin_of, p, bins)[kept] / counts[kept]
    ys = np.bincount(bin_of, y, bins)[kept] / counts[kept]
    ys = _pool_adjacent_violators(ys, counts[kept])
    xs = np.concatenate([[0.0], xs, [1.0]])
    ys = np.concatenate([[0.0], ys, [1.0]])
    apart = np.append(np.diff(xs) >= _MIN_GAP, True)
    apart[0] = True
    xs, ys = xs[apart], np.maximum.accumulate(ys[apart])
    return tuple(xs.tolist()), tuple(ys.tolist())


def _pool_adjacent_violators(values: Floats, weights: Floats) -> Floats:
    """The closest ascending sequence in weighted least squares."""
    blocks: list[list[float]] = []  # mean, weight, length
    for value, weight in zip(values, weights, strict=True):
        blocks.append([value, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, total, length = blocks.pop()
            last = blocks[-1]
            last[0] = (last[0] * last[1] + mean * total) / (last[1] + total)
            last[1], last[2] = last[1] + total, last[2] + length
    return np.repeat([b[0] for b in blocks], [int(b[2]) for b in blocks])


def _sigmoid(x: Floats) -> Floats:
    return 0.5 * (1.0 + np.tanh(0.5 * x))
