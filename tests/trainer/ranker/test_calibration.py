"""Calibration on worlds whose true probabilities are known."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from scipy import optimize

from core.metrics import calibration_error
from trainer.ranker import calibration
from trainer.ranker.calibration import Calibrator, fit_calibrator

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=40_000).astype(np.float32)
# a bent truth: no straight line in the logit fits it
TRUE_P = 0.02 + 0.3 * (LOGITS > 0.5) + 0.2 * (LOGITS > 1.5)
LABELS = (RNG.random(len(LOGITS)) < TRUE_P).astype(np.float32)


def test_platt_undoes_negative_sampling() -> None:
    # true logit = 2 * logit - 3; sampling one negative in 10 adds log 10
    true_p = 1 / (1 + np.exp(-(2 * LOGITS - 3)))
    labels = (np.random.default_rng(1).random(len(LOGITS)) < true_p).astype(float)
    shifted = 2 * LOGITS - 3 + np.log(10.0)
    found = fit_calibrator(shifted, labels, method="platt")
    assert found.slope == pytest.approx(1.0, abs=0.06)
    assert found.offset == pytest.approx(-np.log(10.0), abs=0.1)


def test_platt_s_prior_counts_where_rows_are_few() -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(size=40)
    labels = (np.arange(40) % 2 == 0).astype(float)
    logits[labels == 1] += 8.0  # nothing else holds the slope of a split so clear

    def cost(theta: np.ndarray) -> float:
        z = theta[0] * logits + theta[1]
        return float((np.logaddexp(0, z) - labels * z).sum() + (theta[0] - 1) ** 2 / 2)

    slope, offset = optimize.minimize(cost, [1.0, 0.0]).x
    found = fit_calibrator(logits.astype(np.float32), labels, method="platt")
    assert found.slope == pytest.approx(slope, abs=1e-3)
    assert found.offset == pytest.approx(offset, abs=1e-2)


def test_isotonic_fits_a_bent_truth() -> None:
    found = fit_calibrator(LOGITS, LABELS, method="isotonic")
    fresh = np.random.default_rng(2).normal(size=20_000)
    truth = 0.02 + 0.3 * (fresh > 0.5) + 0.2 * (fresh > 1.5)
    gap = np.abs(found.apply(fresh) - truth).mean()
    plain = np.abs(Calibrator().apply(fresh) - truth).mean()
    assert gap < 0.03 < plain
    assert calibration_error(LABELS, found.apply(LOGITS)) < 0.01


def test_probabilities_rise_and_the_graph_agrees() -> None:
    found = fit_calibrator(LOGITS, LABELS, method="isotonic")
    grid = np.linspace(-50, 50, 1001).astype(np.float32)
    p = found.apply(grid)
    assert np.all(np.diff(p) >= 0) and p.min() >= 0 and p.max() <= 1
    np.testing.assert_allclose(found.apply_tensor(tf.constant(grid)), p, atol=1e-4)
    assert Calibrator.from_dict(found.to_dict()) == found


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("values", [3, 10, None])
def test_the_graph_agrees_where_logits_tie(values: int | None, seed: int) -> None:
    """People with equal histories have equal logits; None: a tenth of the rows has."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=20_000).astype(np.float32)
    if values is None:
        logits[:2_000] = 0.25
    else:
        logits = rng.choice(logits[:values], size=20_000)
    labels = (rng.random(20_000) < 1 / (1 + np.exp(2 - logits))).astype(np.float32)

    found = fit_calibrator(logits, labels, method="isotonic")

    asked = np.append(logits, np.linspace(-4, 4, 200).astype(np.float32))
    p = found.apply(asked)
    np.testing.assert_allclose(found.apply_tensor(tf.constant(asked)), p, atol=1e-4)
    for value in np.unique(logits)[: values or 0]:
        rate = labels[logits == value].mean()
        assert found.apply(value) == pytest.approx(rate, abs=0.03)


@pytest.mark.parametrize("method", ["platt", "isotonic"])
@pytest.mark.parametrize("positives", [0, 1, 5000])
def test_extreme_rates_stay_probabilities(method: str, positives: int) -> None:
    logits = np.linspace(-3, 3, 5000).astype(np.float32)
    labels = (np.arange(5000) < positives).astype(np.float32)
    p = fit_calibrator(logits, labels, method=method).apply(logits)
    assert np.all((p >= 0) & (p <= 1))
    assert abs(p.mean() - labels.mean()) < 0.02


@pytest.mark.parametrize("spread", [1.0, 4.0])
@pytest.mark.parametrize("positives", [0, 1, 9])
def test_few_positives_give_their_rate_however_wide_the_logits(
    positives: int, spread: float
) -> None:
    rng = np.random.default_rng(0)
    logits = (spread * rng.normal(size=20_000) - 6).astype(np.float32)
    labels = np.zeros(len(logits), np.uint8)
    labels[np.argsort(logits)[len(logits) - positives :]] = 1
    found = fit_calibrator(logits, labels, method="isotonic")
    assert found.slope == 1.0
    # Laplace's rule of succession: (positives + 1) of (rows + 2)
    assert found.apply(logits).mean() == pytest.approx((positives + 1) / 20_002)


def test_pooling_by_hand() -> None:
    pooled = calibration._pool_adjacent_violators(
        np.array([1.0, 3.0, 2.0, 4.0]), np.array([1.0, 1.0, 3.0, 1.0])
    )
    np.testing.assert_allclose(pooled, [1.0, 2.25, 2.25, 4.0])


def test_a_score_that_ranks_the_wrong_way_round_is_not_turned():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=5_000).astype(np.float32)
    labels = (rng.random(5_000) < 1 / (1 + np.exp(2 * logits))).astype(float)
    for method in ("platt", "isotonic"):
        found = fit_calibrator(logits, labels, method=method)
        assert found.slope > 0
        assert np.all(np.diff(found.apply(np.linspace(-3, 3, 50))) >= 0)
