"""Strings become ids of full-pass vocabularies: 0 unknown, 1 the most frequent."""

from __future__ import annotations

from typing import TypeVar

import tensorflow as tf
import tensorflow_transform as tft

TensorT = TypeVar("TensorT", tf.Tensor, tf.RaggedTensor)


def ids_of(
    values: TensorT, *, vocabulary: str, max_size: int, min_count: int = 1
) -> TensorT:
    """Ids of strings in the vocabulary of the analyzed rows.

    Args:
      values: [batch_size, ...] string; '' is never in the vocabulary.
      vocabulary: its name (the asset's file name in the Transform graph).
      max_size: how many strings it may hold, by falling count.
      min_count: strings that are rarer stay out.

    Returns:
      int64 of the same shape: 1 .. size, 0 for '' and what is not in the vocabulary.
    """
    flat = values.flat_values if isinstance(values, tf.RaggedTensor) else values
    ids = 1 + tft.compute_and_apply_vocabulary(
        flat,
        default_value=-1,
        top_k=max_size,
        frequency_threshold=min_count if min_count > 1 else None,
        vocab_filename=vocabulary,
    )
    return values.with_flat_values(ids) if isinstance(values, tf.RaggedTensor) else ids


def event_ids(events: tf.Tensor, event_types: tuple[str, ...]) -> tf.Tensor:
    """Position of each event in `event_types`, -1 where it is none of them.

    Args:
      events: [...] string.
      event_types: the shop's event types.

    Returns:
      [...] int64.
    """
    hits = tf.equal(events[..., None], tf.constant(event_types))
    found = tf.argmax(tf.cast(hits, tf.int32), -1)
    return tf.where(tf.reduce_any(hits, -1), found, tf.constant(-1, tf.int64))
