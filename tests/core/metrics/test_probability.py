from __future__ import annotations

import numpy as np
import pytest

from core.metrics import area_under_curve, calibration_error
from core.metrics.probability import quantile_bins


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


def test_equal_probabilities_are_in_one_bin_whatever_their_order():
    constant = np.full(100, 0.5)
    assert calibration_error([1] * 50 + [0] * 50, constant) == pytest.approx(0)
    mixed = np.repeat([0.2, 0.7], [60, 40])
    labels = np.r_[np.arange(60) < 12, np.arange(40) < 20]
    # .2 as it is, .5 in place of .7
    assert calibration_error(labels, mixed) == pytest.approx(0.4 * 0.2)


def test_calibration_error_by_hand():
    # Bins (.2 | 0) and (.8 | .5): the mean of .2 and .3.
    error = calibration_error([0, 0, 1, 0], [0.2, 0.2, 0.8, 0.8], num_bins=2)
    assert error == pytest.approx(0.25)


def test_bins_hold_about_equally_many():
    values = np.random.default_rng(0).permutation(1000) / 1000.0
    bins = quantile_bins(values, 10)
    assert np.bincount(bins).tolist() == [100] * 10
    assert (np.diff(bins[np.argsort(values)]) >= 0).all()


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
