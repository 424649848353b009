"""Losses over padded lists: [M, R] moments by rows, with a mask of the real rows."""

from __future__ import annotations

import tensorflow as tf

_NEVER = -1e9  # the logit of a padded row; its probability is exactly 0


def listwise_softmax_loss(
    scores: tf.Tensor, relevance: tf.Tensor, mask: tf.Tensor, *, positives_cap: int
) -> tf.Tensor:
    """Softmax cross-entropy with several positives, averaged over moments with any.

    One moment's loss is sqrt(min(positives, cap)) times the mean over its positives of
    -log softmax(s)_i: between one vote per moment and one per positive, as an ideal
    DCG of at most `cap` items grows.

    Args:
      scores: [M, R] float32.
      relevance: [M, R] float32, 0 or 1.
      mask: [M, R] bool, False on rows that do not count.
      positives_cap: positives beyond this many raise the weight no further.

    Returns:
      Scalar float32; 0 where no moment has a positive.
    """
    relevance = tf.where(mask, relevance, 0.0)
    log_p = tf.nn.log_softmax(tf.where(mask, scores, _NEVER), axis=-1)
    positives = tf.reduce_sum(relevance, axis=-1)
    weights = tf.sqrt(tf.minimum(positives, float(positives_cap)))
    means = tf.math.divide_no_nan(tf.reduce_sum(relevance * log_p, axis=-1), positives)
    losses = -means * weights
    return tf.math.divide_no_nan(
        tf.reduce_sum(losses), tf.reduce_sum(tf.cast(positives > 0, tf.float32))
    )


def other_events_loss(
    logits: tf.Tensor,
    labels: tf.Tensor,
    mask: tf.Tensor,
    *,
    target: int,
    positives_cap: int,
) -> tf.Tensor:
    """Sum over the event types beside the target of each one's `listwise_softmax_loss`.

    Args:
      logits: [M, R, T] float32.
      labels: [M, R, T] float32, 0 or 1; more where a row says nothing of an event,
        which leaves the row out of that event's list.
      mask: [M, R] bool.
      target: number of the event type that is left out.
      positives_cap: as `listwise_softmax_loss`.

    Returns:
      Scalar float32; 0 where there is no other event type.
    """
    total = tf.constant(0.0)
    for event in range(labels.shape[-1]):
        if event != target:
            happened = labels[..., event]
            total += listwise_softmax_loss(
                logits[..., event],
                happened,
                mask & (happened <= 1.0),
                positives_cap=positives_cap,
            )
    return total


def weighted_softmax_loss(
    scores: tf.Tensor, relevance: tf.Tensor, mask: tf.Tensor, *, positives_cap: int
) -> tf.Tensor:
    """sum over rows of relevance_i * -log softmax(s)_i, averaged over lists with any.

    No list is brought to a common weight: where relevance is a click over the chance
    that it was seen, the sum is in expectation that of pages read to their end
    (Joachims, Swaminathan & Schnabel 2017); dividing by a page's total would undo that.

    Args and returns as `listwise_softmax_loss`; relevance is any number >= 0, and
    `positives_cap` is not read.
    """
    del positives_cap
    relevance = tf.where(mask, relevance, 0.0)
    log_p = tf.nn.log_softmax(tf.where(mask, scores, _NEVER), axis=-1)
    losses = -tf.reduce_sum(relevance * log_p, axis=-1)
    some = tf.cast(tf.reduce_sum(relevance, axis=-1) > 0, tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(losses), tf.reduce_sum(some))


def lambda_loss(
    scores: tf.Tensor, relevance: tf.Tensor, mask: tf.Tensor, *, positives_cap: int
) -> tf.Tensor:
    """LambdaRank: pairs that would move NDCG most weigh most (Burges 2010).

    sum over pairs (i of relevance > 0, j of 0) of relevance_i
    * |1/log2(1+rank_i) - 1/log2(1+rank_j)| * softplus(s_j - s_i)
    * sqrt(min(positives, cap)) / ideal DCG of so many, averaged over moments with a
    positive; ranks are those of the current scores and carry no gradient.

    Args and returns as `listwise_softmax_loss`; relevance is any number >= 0.
    """
    relevance = tf.where(mask, relevance, 0.0)
    scores = tf.where(mask, scores, _NEVER)
    order = tf.argsort(tf.stop_gradient(scores), direction="DESCENDING", axis=-1)
    ranks = tf.cast(tf.argsort(order, axis=-1), tf.float32)
    discounts = 1.0 / tf.experimental.numpy.log2(ranks + 2.0)
    # Counted, not summed: relevance may be an inverse propensity, far above 1.
    positives = tf.reduce_sum(tf.cast(relevance > 0, tf.float32), axis=-1)
    weights = _inverse_ideal(positives, positives_cap) * tf.sqrt(
        tf.minimum(positives, float(positives_cap))
    )
    deltas = tf.abs(discounts[:, :, None] - discounts[:, None, :])
    others = tf.cast(mask & (relevance == 0), tf.float32)
    pairs = relevance[:, :, None] * others[:, None, :] * deltas
    costs = tf.nn.softplus(scores[:, None, :] - scores[:, :, None])
    losses = tf.einsum("mij,mij->m", pairs, costs) * weights
    return tf.math.divide_no_nan(
        tf.reduce_sum(losses), tf.reduce_sum(tf.cast(positives > 0, tf.float32))
    )


def distillation_loss(
    scores: tf.Tensor, teacher: tf.Tensor, mask: tf.Tensor
) -> tf.Tensor:
    """Cross-entropy of the lists' softmax with a teacher's, less the teacher's entropy.

    Args:
      scores: [M, R] float32.
      teacher: [M, R] float32, on the same scale.
      mask: [M, R] bool, False on rows that do not count.

    Returns:
      Scalar float32 >= 0, the mean over lists; 0 where both rank with equal certainty.
    """
    wanted = tf.nn.log_softmax(tf.where(mask, teacher, _NEVER), axis=-1)
    found = tf.nn.log_softmax(tf.where(mask, scores, _NEVER), axis=-1)
    # A pad's share is 0, but its logarithms are large: 0 times them must stay 0.
    gaps = tf.where(mask, tf.exp(wanted) * (wanted - found), 0.0)
    return tf.reduce_mean(tf.reduce_sum(gaps, axis=-1))


def probability_distillation_loss(
    logits: tf.Tensor, teacher: tf.Tensor, mask: tf.Tensor
) -> tf.Tensor:
    """Binary cross-entropy with a teacher's probabilities, less the teacher's entropy.

    Args:
      logits: [M, R, T] float32.
      teacher: [M, R, T] float32 logits.
      mask: [M, R] bool, False on rows that do not count.

    Returns:
      Scalar float32 >= 0, the mean over real rows and event types; 0 where both give
      every event the same probability.
    """
    wanted = tf.sigmoid(teacher)
    found = tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits)
    least = tf.nn.sigmoid_cross_entropy_with_logits(wanted, teacher)
    counts = tf.cast(mask, tf.float32)
    total = tf.reduce_sum(tf.reduce_mean(found - least, axis=-1) * counts)
    return tf.math.divide_no_nan(total, tf.reduce_sum(counts))


def _inverse_ideal(positives: tf.Tensor, cap: int) -> tf.Tensor:
    ranks = tf.range(cap, dtype=tf.float32)
    gains = tf.cumsum(1.0 / tf.experimental.numpy.log2(ranks + 2.0))
    count = tf.cast(tf.clip_by_value(positives, 1.0, float(cap)), tf.int32)
    return 1.0 / tf.gather(gains, count - 1)


def pointwise_loss(logits: tf.Tensor, labels: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Mean binary cross-entropy over real rows and event types.

    Args:
      logits: [M, R, T] float32.
      labels: [M, R, T] float32, 0 or 1; more where a row says nothing of an event.
      mask: [M, R] bool.
    """
    entropies = tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)
    entropies = tf.where(labels <= 1.0, entropies, 0.0)
    counts = tf.cast(mask, tf.float32)
    total = tf.reduce_sum(tf.reduce_mean(entropies, axis=-1) * counts)
    return tf.math.divide_no_nan(total, tf.reduce_sum(counts))


LISTWISE = {
    "softmax": listwise_softmax_loss,
    "weighted": weighted_softmax_loss,
    "lambda": lambda_loss,
}
