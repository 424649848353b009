"""Crosses equal the library's, with the library's own weights put in."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow_recommenders as tfrs
import tf_keras

from trainer.ranker.layers.crosses import cross


@pytest.mark.parametrize("rank", [0, 3])
def test_cross_equals_the_librarys_cross(rank: int) -> None:
    rng = np.random.default_rng(0)
    x0, x = rng.normal(size=[2, 7, 5]).astype(np.float32)
    library = tfrs.layers.dcn.Cross(projection_dim=rank or None)
    expected = library(x0, x)

    inputs = [tf_keras.Input([5]), tf_keras.Input([5])]
    ours = tf_keras.Model(inputs, cross(inputs[0], inputs[1], rank=rank, name="c"))
    ours.set_weights(library.get_weights())

    np.testing.assert_allclose(ours([x0, x]), expected, rtol=1e-5, atol=1e-6)


def test_cross_multiplies_by_hand() -> None:
    inputs = tf_keras.Input([2])
    model = tf_keras.Model(inputs, cross(inputs, inputs, rank=0, name="c"))
    # W swaps the two numbers, b = (1, 0)
    model.set_weights([np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([1.0, 0.0])])
    # x0 * (W x + b) + x = (2, 3) * (3 + 1, 2) + (2, 3)
    np.testing.assert_allclose(model(np.array([[2.0, 3.0]])), [[10.0, 9.0]])
