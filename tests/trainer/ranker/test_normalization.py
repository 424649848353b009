"""Normalization: same in NumPy and graph, safe against NaN, infinities, constants."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.ranker.normalization import Normalizer

ALL = np.arange(4)


def test_log_then_z_score_by_hand() -> None:
    e = np.e
    # signed log1p of the columns: 0, 1, 2, 3 and -1, 1, -1, 1
    x = np.array(
        [[0, 1 - e], [e - 1, e - 1], [e**2 - 1, 1 - e], [e**3 - 1, e - 1]], np.float32
    )
    normalizer = Normalizer.fit(x, ALL)
    np.testing.assert_allclose(normalizer.mean, [1.5, 0.0], atol=1e-5)
    normalizer.apply_in_place(x)
    std = np.std([0, 1, 2, 3])
    np.testing.assert_allclose(x[:, 0], (np.arange(4) - 1.5) / std, rtol=1e-4)
    np.testing.assert_allclose(x[:, 1], [-1, 1, -1, 1], rtol=1e-4)


def test_odd_values_become_finite_and_graph_agrees() -> None:
    nan, inf = np.nan, np.inf
    x = np.array(
        [[1, nan, 5, nan], [2, 3, 5, nan], [inf, 4, 5, nan], [-inf, 9, 5, nan]],
        np.float32,
    )
    normalizer = Normalizer.fit(x, ALL)
    odd = np.concatenate([x, np.full([1, 4], inf, np.float32)])
    in_graph = normalizer.apply(tf.constant(odd)).numpy()
    normalizer.apply_in_place(odd)
    np.testing.assert_allclose(odd, in_graph, atol=1e-5)
    assert odd[2, 0] == 6 and odd[3, 0] == -6 and odd[0, 1] == 0
    assert np.all(odd[:, 2:] == 0)  # constant; never seen


@pytest.mark.parametrize("num_rows", [70_000, 150_000])
def test_a_constant_of_many_rows_is_zero(num_rows: int) -> None:
    values = np.array([4.99, 0.1, 3650.0, 8.202756, 5.303305, 7.0], np.float32)
    x = np.tile(values, (num_rows, 1))
    x[5, 1], x[6, 2] = np.nan, np.inf  # what is not finite makes no spread
    fitted = Normalizer.fit(x, np.arange(num_rows))
    np.testing.assert_array_equal(fitted.inverse_std, 0.0)
    # A value never seen in training says nothing either.
    np.testing.assert_array_equal(fitted.apply(tf.constant(values[None] * 0.9)), 0.0)


def test_one_other_value_among_many_counts() -> None:
    x = np.ones((100_000, 1), np.float32)
    x[70_000] = 3.0
    fitted = Normalizer.fit(x, np.arange(100_000))
    # log1p is log 4 once and log 2 else: std log 2 sqrt(p (1 - p)), p = 1e-5
    std = np.log(2) * np.sqrt(1e-5 * (1 - 1e-5))
    np.testing.assert_allclose(1 / fitted.inverse_std, std, rtol=1e-3)


def test_only_the_named_rows_are_learned_from() -> None:
    x = np.array([[1.0], [2.0], [1e9]], np.float32)
    some = Normalizer.fit(x, np.array([0, 1]))
    np.testing.assert_allclose(some.mean, np.log1p([1.0, 2.0]).mean(), rtol=1e-5)
    assert Normalizer.from_dict(some.to_dict()).to_dict() == some.to_dict()


def test_ignored_features_are_always_zero() -> None:
    features = np.array([[1.0, 2.0], [3.0, 5.0]], np.float32)
    fitted = Normalizer.fit(features, np.arange(2)).without(
        ["cf_score", "age"], ["cf_*"]
    )
    found = fitted.apply(tf.constant(features)).numpy()
    # log1p(2), log1p(5) are one standard deviation below and above their mean.
    np.testing.assert_allclose(found, [[0.0, -1.0], [0.0, 1.0]], rtol=1e-5)
