"""Dropout that repeats itself on request."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.ranker.layers.dropout import SeededDropout

ONES = tf.ones([100, 100])


def test_without_training_nothing_changes() -> None:
    np.testing.assert_array_equal(SeededDropout(0.5)(ONES, training=False), ONES)


def test_a_share_is_dropped_and_the_mean_stays() -> None:
    out = SeededDropout(0.25)(ONES, training=True).numpy()
    # binomial(10000, .25): standard deviation .0043 of the share
    assert abs((out == 0).mean() - 0.25) < 0.02
    np.testing.assert_allclose(out[out != 0], 1 / 0.75, rtol=1e-6)


@pytest.mark.slow
def test_restart_repeats_the_noise_inside_a_function() -> None:
    layer = SeededDropout(0.5)
    run = tf.function(lambda x: layer(x, training=True))
    layer.restart(3)
    first, second = run(ONES).numpy(), run(ONES).numpy()
    layer.restart(3)
    np.testing.assert_array_equal(run(ONES), first)
    assert np.any(first != second)


def test_config_round_trip() -> None:
    layer = SeededDropout(0.3, seed=5, name="d")
    copy = SeededDropout.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
