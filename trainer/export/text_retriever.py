"""The text encoder in the retriever's place: where there is no tower to embed with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.export.item_texts import item_texts


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
