"""Top-k in two stages, and candidates under a filter."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.funnel.candidates import LOWEST, best_candidates, top_rows


@pytest.mark.parametrize(("n", "k"), [(100, 10), (5_000, 150), (20_003, 150)])
def test_two_stage_top_k_is_exact(n: int, k: int) -> None:
    scores = np.random.default_rng(n).standard_normal((3, n)).astype(np.float32)
    values, rows = top_rows(tf.constant(scores), k)
    np.testing.assert_allclose(values, -np.sort(-scores, axis=1)[:, :k])
    np.testing.assert_allclose(np.take_along_axis(scores, rows.numpy(), 1), values)


def test_top_k_beyond_the_catalogue_gives_all() -> None:
    values, _ = top_rows(tf.constant([[1.0, 3.0, 2.0]]), 10)
    assert values.numpy().tolist() == [[3.0, 2.0, 1.0]]


def test_candidates_are_the_best_allowed_ones_and_pads_behind() -> None:
    # Four items and the pads' column, which never counts; item 3 is ruled out.
    scores = tf.constant([[0.5, 2.0, 1.0, LOWEST, 9.0 + LOWEST]] * 2)
    allowed = tf.constant([[True, True, True, True], [True, False, True, True]])
    assert best_candidates(scores, 2).numpy().tolist() == [[1, 2]] * 2
    found = best_candidates(scores, 9, allowed).numpy().tolist()
    assert found == [[1, 2, 0, 4], [2, 0, 4, 4]]


def test_pads_of_the_chunks_are_never_among_the_best():
    rng = np.random.default_rng(0)
    scores = -1.0 - rng.random((2, 1_003)).astype(np.float32)  # 1,003 = 16 * 63 - 5
    values, rows = top_rows(tf.constant(scores), 5)
    wanted = np.argsort(-scores, axis=1)[:, :5]
    np.testing.assert_array_equal(rows, wanted)
    np.testing.assert_array_equal(values, np.take_along_axis(scores, wanted, axis=1))
    assert best_candidates(tf.constant(scores), 5).numpy().max() < 1_003
