"""Items that a query names: they hold all of its words.

Clicks teach the first stage and the ranker what pleases most of those who ask in broad
words. A whole title, a model number, a kind with its size is asked for by few, so next
to nothing is learned of it, and taste would put other items of the kind above those
that were typed.
"""

from __future__ import annotations

import tensorflow as tf

from trainer.funnel.candidates import LOWEST

# How far a named item stands above the best of the others: next to nothing, so that
# scores stay on their scale.
_MARGIN = 1e-3


def named_items(
    whole: tf.Tensor, matched: tf.Tensor, num_words: tf.Tensor, limit: int
) -> tf.Tensor:
    """[B, W] bool: items with all of the query's words, where these say enough.

    Args:
      whole: [B, W] bool, holds all words.
      matched: [B, W] bool, may be on the page, an item once.
      num_words: [B, 1] int64 of the query.
      limit: so many items are meant by one word; more are of a kind. 0: none ever are.
    """
    whole &= matched & (limit > 0)
    count = tf.math.count_nonzero(whole, axis=1, keepdims=True)
    return whole & ((num_words > 1) | (count <= limit))


def named_first(scores: tf.Tensor, named: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
    """[B, C] float32 scores, those of named items raised above all others.

    Their order among themselves stays, and so do the scores where they lead already.

    Args:
      scores: [B, C] float32, any scale.
      named: [B, C] bool.
      real: [B, C] bool; False for pads.
    """
    others = tf.where(real & ~named, scores, LOWEST)
    highest = tf.reduce_max(others, axis=1, keepdims=True)
    lowest = tf.reduce_min(tf.where(named, scores, -LOWEST), axis=1, keepdims=True)
    raised = scores + tf.nn.relu(highest - lowest + _MARGIN)
    return tf.where(named, raised, scores)
