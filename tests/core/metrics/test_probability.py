from __future__ import annotations

import numpy as np
import pytest

from core.metrics import area_under_curve, calibration_error


def test_auc_counts_pairs_with_half_for_ties():
    labels = [1, 0, 1, 0]
    scores = [0.9, 0.9, 0.4, 0.1]
    # pairs: (.9,.9) tie, (.9,.1) win, (.4,.9) loss, (.4,.1) win
    assert area_under_curve(labels, scores) == pytest.approx(2.5 / 4)


def test_auc_equals_pair_counting_on_random_scores():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 200)
    scores = generator.integers(0, 30, 200)
    gaps = scores[labels == 1][:, None] - scores[labels == 0][None]
    expected = ((gaps > 0) + 0.5 * (gaps == 0)).mean()
    assert area_under_curve(labels, scores) == pytest.approx(expected)


def test_auc_of_one_class_is_a_coin_flip():
    assert area_under_curve([1, 1], [0.1, 0.2]) == 0.5


def test_calibration_error_of_a_constant_is_its_bias():
    labels = np.array([1, 0, 0, 0] * 25)
    assert calibration_error(labels, np.full(100, 0.25), num_bins=1) == pytest.approx(0)
    assert calibration_error(labels, np.full(100, 0.45), num_bins=1) == pytest.approx(
        0.2
    )


def test_calibrated_draws_have_a_small_error_and_squared_ones_a_large_one():
    generator = np.random.default_rng(1)
    chance = generator.uniform(size=50_000)
    labels = generator.uniform(size=50_000) < chance
    assert calibration_error(labels, chance) < 0.01
    # E |p - p^2| = 1/2 - 1/3
    assert calibration_error(labels, chance**2) == pytest.approx(1 / 6, abs=0.01)
