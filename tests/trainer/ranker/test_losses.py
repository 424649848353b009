"""Losses against hand calculations and NumPy references."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.ranker import losses

YES = tf.constant([[True, True, True]])


def test_listwise_softmax_by_hand() -> None:
    scores = tf.constant([[0.0, 0.0, np.log(2.0)]], tf.float32)  # p = 1/4, 1/4, 1/2
    relevance = tf.constant([[1.0, 0.0, 1.0]])
    # mean(log 4, log 2) * sqrt(2)
    expected = 1.5 * np.log(2.0) * np.sqrt(2.0)
    loss = losses.listwise_softmax_loss(scores, relevance, YES, positives_cap=20)
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    # a cap of one positive takes the square root away
    loss = losses.listwise_softmax_loss(scores, relevance, YES, positives_cap=1)
    assert float(loss) == pytest.approx(1.5 * np.log(2.0), rel=1e-5)


def test_other_events_loss_by_hand() -> None:
    two = np.log(2.0)
    logits = tf.constant([[[9.0, 0.0, 0.0], [9.0, two, 0.0], [9.0, 0.0, two]]])
    # The target is left out; of the second event p = 1/4, 1/2, 1/4 and the last was;
    # of the third nothing is known of the first row, p = 1/3, 2/3 and the last was.
    labels = tf.constant([[[1.0, 0.0, 255.0], [0.0, 0.0, 0.0], [0.0, 1.0, 1.0]]])
    loss = losses.other_events_loss(logits, labels, YES, target=0, positives_cap=20)
    assert float(loss) == pytest.approx(np.log(4.0) + np.log(1.5), rel=1e-5)
    alone = losses.other_events_loss(
        logits[..., :1], labels[..., :1], YES, target=0, positives_cap=20
    )
    assert float(alone) == 0.0


def test_moments_without_positives_do_not_dilute() -> None:
    scores, none = tf.zeros([1, 3]), tf.zeros([1, 3])
    one = tf.constant([[1.0, 0.0, 0.0]])
    alone = losses.listwise_softmax_loss(scores, one, YES, positives_cap=20)
    both = losses.listwise_softmax_loss(
        tf.repeat(scores, 2, 0),
        tf.concat([one, none], 0),
        tf.repeat(YES, 2, 0),
        positives_cap=20,
    )
    assert float(alone) == pytest.approx(np.log(3.0), rel=1e-5)
    assert float(both) == pytest.approx(float(alone), rel=1e-6)
    assert float(losses.LISTWISE["softmax"](scores, none, YES, positives_cap=20)) == 0
    assert float(losses.LISTWISE["lambda"](scores, none, YES, positives_cap=20)) == 0


def test_lambda_loss_by_hand() -> None:
    scores = tf.constant([[3.0, 2.0, 1.0]])
    relevance = tf.constant([[0.0, 1.0, 0.0]])
    d1, d2, d3 = 1.0, 1 / np.log2(3.0), 0.5
    expected = abs(d2 - d1) * np.log1p(np.exp(3.0 - 2.0))
    expected += abs(d2 - d3) * np.log1p(np.exp(1.0 - 2.0))
    loss = losses.lambda_loss(scores, relevance, YES, positives_cap=20)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_lambda_loss_of_gains_by_hand() -> None:
    scores = tf.Variable([[3.0, 2.0, 1.0]])
    gains = tf.constant([[8.0, 0.0, 0.5]])
    d1, d2, d3 = 1.0, 1 / np.log2(3.0), 0.5
    pairs = 8.0 * (d1 - d2) * np.log1p(np.exp(2.0 - 3.0))
    pairs += 0.5 * (d2 - d3) * np.log1p(np.exp(2.0 - 1.0))
    with tf.GradientTape() as tape:
        loss = losses.lambda_loss(scores, gains, YES, positives_cap=20)
    # Two positives: sqrt(2) over the ideal DCG of two.
    assert float(loss) == pytest.approx(pairs * np.sqrt(2) / (d1 + d2), rel=1e-5)
    rises = -tape.gradient(loss, scores).numpy()[0]
    assert rises[0] > 0 and rises[1] < 0 and rises[2] > 0


@pytest.mark.parametrize("name", ["softmax", "lambda", "pointwise"])
def test_padding_gets_no_loss_and_no_gradient(name: str) -> None:
    rng = np.random.default_rng(0)
    scores = tf.constant(rng.normal(size=[4, 6]), tf.float32)
    labels = tf.constant(rng.integers(0, 2, [4, 6]), tf.float32)
    mask = tf.constant(np.arange(6) < 4)[None].numpy().repeat(4, 0)

    def loss(s: tf.Tensor, y: tf.Tensor, m: tf.Tensor) -> tf.Tensor:
        if name == "pointwise":
            return losses.pointwise_loss(s[..., None], y[..., None], m)
        return losses.LISTWISE[name](s, y, m, positives_cap=20)

    with tf.GradientTape() as tape:
        tape.watch(scores)
        padded = loss(scores, labels, tf.constant(mask))
    gradient = tape.gradient(padded, scores).numpy()
    cut = loss(scores[:, :4], labels[:, :4], tf.constant(mask[:, :4]))

    assert float(padded) == pytest.approx(float(cut), rel=1e-5)
    assert np.all(gradient[:, 4:] == 0) and np.any(gradient[:, :4] != 0)


def test_pointwise_says_nothing_of_what_is_unknown() -> None:
    logits = tf.Variable([[[0.5, -1.0], [2.0, 3.0]]])
    with tf.GradientTape() as tape:
        loss = losses.pointwise_loss(
            logits, tf.constant([[[1.0, 255.0], [0.0, 1.0]]]), tf.constant([[True] * 2])
        )
    known = [np.log1p(np.exp(-0.5)), np.log1p(np.exp(2.0)), np.log1p(np.exp(-3.0))]
    assert loss.numpy() == pytest.approx(sum(known) / 4, rel=1e-5)
    assert tape.gradient(loss, logits).numpy()[0, 0, 1] == 0


def test_pointwise_is_the_mean_binary_cross_entropy() -> None:
    # p = .5 and .8: -log .5 for a yes, -log(1 - .8) for a no
    logits = tf.constant([[[0.0], [np.log(4.0)]]], tf.float32)
    labels = tf.constant([[[1.0], [0.0]]])
    loss = losses.pointwise_loss(logits, labels, tf.constant([[True, True]]))
    assert float(loss) == pytest.approx((np.log(2.0) + np.log(5.0)) / 2, rel=1e-5)


def test_weighted_softmax_counts_gains_in_full() -> None:
    scores = tf.constant([[0.0, np.log(3.0)], [0.0, 0.0]])  # chances 1/4, 3/4; 1/2
    gains = tf.constant([[10.0, 2.0], [0.0, 0.0]])
    mask = tf.ones([2, 2], tf.bool)
    expected = 10 * np.log(4.0) + 2 * np.log(4.0 / 3.0)  # the other list has no gain
    loss = losses.weighted_softmax_loss(scores, gains, mask, positives_cap=1)
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    only_first = tf.constant([[True, False], [True, True]])
    loss = losses.weighted_softmax_loss(scores, gains, only_first, positives_cap=1)
    assert float(loss) == pytest.approx(0.0, abs=1e-6)  # a list of one row


def test_distillation_is_the_mean_divergence_of_the_lists_by_hand() -> None:
    # A teacher's 1/2, 1/2 against 1/4, 3/4; then 1/3, 2/3 twice, whatever the offset.
    # The third row is a pad.
    teacher = tf.constant([[0.0, 0.0, 9.0], [0.0, np.log(2.0), 9.0]], tf.float32)
    scores = tf.constant([[0.0, np.log(3.0), -9.0], [1.0, 1.0 + np.log(2.0), 5.0]])
    mask = tf.constant([[True, True, False]] * 2)
    loss = losses.distillation_loss(tf.cast(scores, tf.float32), teacher, mask)
    divergence = 0.5 * np.log(0.5 / 0.25) + 0.5 * np.log(0.5 / 0.75)
    assert float(loss) == pytest.approx(divergence / 2, rel=1e-5)


def test_probability_distillation_is_the_mean_divergence_by_hand() -> None:
    # A teacher's .5 against .8, and .25 against .25; the second row is a pad.
    teacher = tf.constant([[[0.0, -np.log(3.0)], [5.0, 5.0]]], tf.float32)
    logits = tf.constant([[[np.log(4.0), -np.log(3.0)], [-5.0, -5.0]]], tf.float32)
    mask = tf.constant([[True, False]])
    loss = losses.probability_distillation_loss(logits, teacher, mask)
    divergence = 0.5 * np.log(0.5 / 0.8) + 0.5 * np.log(0.5 / 0.2)
    assert float(loss) == pytest.approx(divergence / 2, rel=1e-5)
