"""What the loss promises: hand calculations."""

from __future__ import annotations

import numpy as np

import trainer  # noqa: F401  (sets TF_USE_LEGACY_KERAS)

import tensorflow as tf  # isort: skip
import tensorflow_recommenders as tfrs

from tests.trainer.retriever import worlds
from trainer.retriever.model import TwoTower, other_moments


def _model(**changes: object) -> TwoTower:
    return TwoTower(
        worlds.tiny_config(**changes),
        worlds.checkerboard_sizes(),
        worlds.checkerboard_catalogue().item_features,
    )


def test_the_task_is_that_of_tensorflow_recommenders() -> None:
    model = _model()
    assert isinstance(model, tfrs.Model)
    assert isinstance(model.task, tfrs.tasks.Retrieval)


def test_accidental_hits_get_no_probability() -> None:
    # Candidates 0 and 2 are the same item: query 0 sees only candidates 0 and 1.
    # Scores 1 / temperature .5 = 2 on the diagonal and for the twin, else 0:
    # loss of query 0 = log(1 + e^-2), with the twin it would be log(2 + e^-2).
    task = _model(temperature=0.5).task
    vectors = tf.constant([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    weights = tf.constant([1.0, 0.0, 0.0])
    loss = task(
        vectors, vectors, sample_weight=weights, candidate_ids=tf.constant([5, 6, 5])
    )
    np.testing.assert_allclose(loss, np.log1p(np.exp(-2.0)), rtol=1e-5)


def test_log_q_correction_by_hand() -> None:
    # logit = score / temperature - log(probability):
    # query 0: 2 - log(.5) = 2.693 (own), 0 - log(.1) = 2.303 (other).
    task = _model(temperature=0.5).task
    vectors = tf.constant([[1.0, 0.0], [0.0, 1.0]])
    loss = task(
        vectors,
        vectors,
        sample_weight=tf.constant([1.0, 0.0]),
        candidate_sampling_probability=tf.constant([0.5, 0.1]),
        candidate_ids=tf.constant([0, 1]),
    )
    own, other = 2.0 - np.log(0.5), -np.log(0.1)
    expected = np.log(np.exp(own) + np.exp(other)) - own
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_hard_negatives_keep_only_the_hardest() -> None:
    # Query 0 scores 1, .9, .1: with one hard negative only .9 counts.
    task = _model(temperature=1.0, num_hard_negatives=1).task
    queries = tf.constant([[1.0, 0.0]] * 3)
    candidates = tf.constant([[1.0, 0.0], [0.9, 0.0], [0.1, 0.0]])
    loss = task(
        queries,
        candidates,
        sample_weight=tf.constant([1.0, 0.0, 0.0]),
        candidate_ids=tf.constant([0, 1, 2]),
    )
    np.testing.assert_allclose(loss, np.log1p(np.exp(-0.1)), rtol=1e-5)


def test_targets_of_one_moment_are_not_each_others_negatives() -> None:
    mask = other_moments(tf.constant([0, 0, 1]))
    assert mask.numpy().tolist() == [
        [True, False, True],
        [False, True, True],
        [True, True, True],
    ]


def test_blocks_with_shared_weights_count_once() -> None:
    sizes = {}
    for layers, shared in ((1, False), (3, True), (3, False)):
        model = _model(
            history_encoder="transformer",
            history_layers=layers,
            shared_history_layers=shared,
        )
        slots = tf.zeros([1, 2], tf.int32)
        model.history_encoder(tf.zeros([1, 2, 8]), slots, slots, slots >= 0)
        sizes[layers, shared] = model.parameter_counts()["history encoder"]
    # A block of width 8: attention of 4 x (8 x 8 + 8), two norms, 8 x 16 and back.
    block = 4 * (64 + 8) + 2 * 16 + (8 * 16 + 16) + (16 * 8 + 8)
    assert sizes[3, True] == sizes[1, False]
    assert sizes[3, False] == sizes[1, False] + 2 * block


def test_history_and_candidates_share_item_vectors() -> None:
    model = _model()
    vectors, candidates = model.item_matrix()
    assert vectors.shape == candidates.shape == (worlds.NUM_ITEMS + 1, 8)
    tables = [v.name for v in model.trainable_variables if "table" in v.name]
    assert len([name for name in tables if "item_encoder" in name]) == 2  # id, tokens
