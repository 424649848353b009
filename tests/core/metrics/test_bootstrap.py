from __future__ import annotations

import numpy as np
import pytest

from core.metrics import bootstrap, mean_interval, mean_intervals


@pytest.mark.parametrize(("confidence", "deviations"), [(0.95, 1.96), (0.5, 0.674)])
def test_interval_has_the_width_of_the_normal_approximation(confidence, deviations):
    values = np.random.default_rng(0).normal(3.0, 2.0, 2000)
    found = mean_interval(values, num_samples=2000, confidence=confidence)
    half = deviations * values.std() / np.sqrt(2000)
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.2 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.2 * half)


def test_intervals_cover_the_true_mean_about_as_often_as_they_say():
    generator = np.random.default_rng(5)
    covered = 0
    for _ in range(200):
        found = mean_interval(
            generator.exponential(1.0, 100), num_samples=300, confidence=0.9
        )
        covered += found.low <= 1.0 <= found.high
    assert 0.82 <= covered / 200 <= 0.96


def test_pairing_sees_a_small_steady_gain_through_large_noise():
    noise = np.random.default_rng(1).normal(0, 1, 500)
    gain = mean_interval((noise + 0.01) - noise)
    assert gain.low == pytest.approx(0.01)
    apart = mean_interval(noise + 0.01)
    assert apart.low < 0 < apart.high


def test_equal_seeds_repeat_and_no_values_give_zero():
    values = np.arange(10.0)
    assert mean_interval(values, seed=4) == mean_interval(values, seed=4)
    assert mean_interval(np.empty(0)) == (0.0, 0.0, 0.0)


def test_columns_get_what_they_get_alone():
    values = np.random.default_rng(2).normal(size=(300, 3))
    together = mean_intervals(values, seed=9)
    for column, found in zip(values.T, together, strict=True):
        np.testing.assert_allclose(found, mean_interval(column, seed=9))


@pytest.mark.parametrize("cells", [1, 25])  # fewer than a resample; 2 of 10 rows
def test_resamples_do_not_depend_on_how_many_are_held_at_once(monkeypatch, cells):
    values = np.random.default_rng(3).normal(size=10)
    whole = mean_interval(values, num_samples=7)
    monkeypatch.setattr(bootstrap, "_BLOCK_CELLS", cells)
    # A matrix product of other rows may sum in another order.
    np.testing.assert_allclose(mean_interval(values, num_samples=7), whole, rtol=1e-12)
