"""Serialized tf.Examples into the inputs of `rank`."""

from __future__ import annotations

import tensorflow as tf

from core import features, signatures
from core.config import ShopConfig


def parse_rank_examples(examples: tf.Tensor, shop: ShopConfig) -> dict[str, tf.Tensor]:
    """Inputs of `rank` from tf.Examples.

    Args:
      examples: [B] string, serialized tf.Example; every feature may be missing.
      shop: names the context features.

    Returns:
      The person and moment inputs and `candidate_item_ids`; lists are padded at the end
      with '' or 0 to the longest of the batch.
    """
    lists = {
        features.HISTORY_ITEM_IDS: tf.string,
        features.HISTORY_EVENTS: tf.string,
        features.HISTORY_TIMESTAMPS: tf.int64,
        signatures.CANDIDATE_ITEM_IDS: tf.string,
    }
    scalars = {
        features.USER_ID: tf.io.FixedLenFeature([], tf.string, ""),
        features.TIMESTAMP: tf.io.FixedLenFeature([], tf.int64, 0),
        **{
            name: tf.io.FixedLenFeature([], tf.string, "")
            for name in shop.context_features
        },
    }
    parsed = tf.io.parse_example(
        examples,
        {
            **{
                name: tf.io.RaggedFeature(dtype, row_splits_dtype=tf.int64)
                for name, dtype in lists.items()
            },
            **scalars,
        },
    )
    # The three history lists of one person have one length, whatever was left out.
    height = tf.shape(examples, out_type=tf.int64)[0]
    width = parsed[features.HISTORY_ITEM_IDS].bounding_shape()[1]
    for name in lists:
        shape = None if name == signatures.CANDIDATE_ITEM_IDS else [height, width]
        parsed[name] = parsed[name].to_tensor(shape=shape)
    return parsed
