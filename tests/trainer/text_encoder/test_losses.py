"""The loss against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.text_encoder.losses import contrastive_loss


def _normal(rng: np.random.Generator, rows: int) -> np.ndarray:
    vectors = rng.normal(size=(rows, 4))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _log_softmax_at(logits: list[float], place: int) -> float:
    return logits[place] - float(np.log(np.sum(np.exp(logits))))


def test_loss_of_both_directions_without_forbidden_pairs() -> None:
    rng = np.random.default_rng(0)
    left, right = _normal(rng, 3), _normal(rng, 5)
    forbidden = np.zeros((3, 5), bool)
    forbidden[0, 1] = forbidden[2, 4] = True
    forbidden[1, 1] = True  # its own: stays
    weights = np.array([0.5, 1.0, 1.5])
    logits = left @ right.T / 0.2
    total = 0.0
    for i in range(3):
        kept = [j for j in range(5) if j == i or not forbidden[i, j]]
        ahead = _log_softmax_at([logits[i, j] for j in kept], kept.index(i))
        kept = [j for j in range(3) if j == i or not forbidden[j, i]]
        back = _log_softmax_at([logits[j, i] for j in kept], kept.index(i))
        total -= weights[i] * (ahead + back) / 2.0
    found = contrastive_loss(
        tf.constant(left, tf.float32),
        tf.constant(right, tf.float32),
        tf.constant(forbidden),
        tf.constant(weights, tf.float32),
        0.2,
    )
    assert float(found) == pytest.approx(total / 3.0, rel=1e-5)


def test_accidental_hits_get_no_gradient() -> None:
    left = tf.constant([[1.0, 0.0], [0.0, 1.0]])
    right = tf.Variable([[1.0, 0.0], [0.6, 0.8]])
    forbidden = tf.constant([[False, True], [True, False]])
    with tf.GradientTape() as tape:
        loss = contrastive_loss(left, right, forbidden, tf.ones(2), 0.1)
    assert float(loss) == 0.0
    assert not tape.gradient(loss, right).numpy().any()
