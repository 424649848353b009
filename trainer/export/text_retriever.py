"""The text encoder in the retriever's place: where there is no tower to embed with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from core import features
from trainer.text_encoder.item_text import COLUMNS


class TextRetriever(tf.Module):
    """Vectors of items from their words."""

    def __init__(self, encoder: Any) -> None:
        """
        Args:
          encoder: has `embed_queries` and `embed_items`, texts [B] to [B, d].
        """
        super().__init__(name="text_retriever")
        self.encoder = encoder

    def embed_texts(self, queries: tf.Tensor) -> tf.Tensor:
        """[B, d] float32, norm 1, or 0 for a text without words."""
        return self.encoder.embed_queries(queries)

    def embed_item(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """[M, d] float32 of items from their text columns [M] each, known or new."""
        return self.encoder.embed_items(item_texts(inputs))


def item_texts(inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """[M] string: `trainer.text_encoder.item_text.item_text`, in the graph.

    Args:
      inputs: the columns of `COLUMNS`, [M] string each, '' where unknown.
    """
    values = {name: tf.strings.strip(inputs[name]) for name in COLUMNS}
    title, brand = values[features.TITLE], values[features.BRAND]
    values[features.BRAND] = tf.where(_contains(title, brand), "", brand)
    path = tf.strings.regex_replace(values[features.CATEGORY], r"^( > )+|( > )+$", "")
    values[features.CATEGORY] = tf.strings.regex_replace(path, r"( > )+", ", ")
    parts = tf.stack([values[name] for name in COLUMNS], axis=1)
    some = tf.ragged.boolean_mask(parts, parts != "")
    return tf.strings.reduce_join(some, axis=1, separator=". ")


def _contains(texts: tf.Tensor, parts: tf.Tensor) -> tf.Tensor:
    """[M] bool: whether each text holds its part, whatever the case."""

    def holds(pair: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        text, part = pair
        # \Q..\E takes the part as it is; a backslash could end it early.
        quoted = tf.strings.regex_replace(part, r"\\", "")
        pattern = tf.strings.join([r"(?is).*\Q", quoted, r"\E.*"])
        return tf.strings.regex_full_match(text, pattern)

    return tf.map_fn(
        holds, (texts, parts), fn_output_signature=tf.TensorSpec([], tf.bool)
    )
