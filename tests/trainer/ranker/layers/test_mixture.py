"""The gated sum: call, config round trip, save and load."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras

from trainer.ranker.layers.mixture import GatedSum

GATE = np.array([[1.0, 0.0], [0.25, 0.75]], np.float32)
FIRST = np.array([[1.0, 2.0], [4.0, 8.0]], np.float32)
SECOND = np.array([[9.0, 9.0], [0.0, 4.0]], np.float32)
# row 1: .25 * (4, 8) + .75 * (0, 4) = (1, 5)
EXPECTED = [[1.0, 2.0], [1.0, 5.0]]


def test_experts_are_weighted_by_the_gate() -> None:
    np.testing.assert_allclose(GatedSum()([GATE, FIRST, SECOND]), EXPECTED)


def test_config_round_trip() -> None:
    layer = GatedSum(name="mix")
    assert GatedSum.from_config(layer.get_config()).get_config() == layer.get_config()


def test_saved_model_gives_the_same(tmp_path: Path) -> None:
    inputs = [tf_keras.Input([2]) for _ in range(3)]
    model = tf_keras.Model(inputs, GatedSum()(inputs))
    model.save(tmp_path / "model.keras")
    loaded = tf_keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded([tf.constant(GATE), FIRST, SECOND]), EXPECTED)
