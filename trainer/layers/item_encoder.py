"""Item id and content become one vector, for candidates and history alike."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from trainer.layers.masked_embedding import MaskedEmbedding
from trainer.preprocessing import names

# Categorical item features beside the id; each has its own table.
CONTENT_IDS = (names.CATEGORY, names.BRAND, names.PRICE_BUCKET, names.TITLE_TOKENS)


@tf.keras.utils.register_keras_serializable(package="souk")
class ItemEncoder(tf.keras.layers.Layer):
    """Item vector = id embedding + projection of the content's embeddings.

    An id outside the training vocabulary (0) contributes nothing: content alone places
    the item. In training a share of the ids is hidden so that content learns to. With
    `text_dim` the text encoder's vector is content too, and its projection is also
    added as it is: a query's words go through the same one, so that both meet where
    the text encoder has put them.

    >>> encoder = ItemEncoder(sizes={"item_id_xf": 9}, dim=4, content_dim=2)
    >>> encoder({"item_id_xf": tf.constant([1, 2])}).shape
    TensorShape([2, 4])
    """

    def __init__(
        self,
        *,
        sizes: dict[str, int],
        dim: int,
        content_dim: int,
        id_dropout: float = 0.0,
        text_dim: int = 0,
        **kwargs: Any,
    ) -> None:
        """Builds the tables.

        Args:
          sizes: feature name -> largest id; item_id_xf is required, others optional.
          dim: width of the item vector.
          content_dim: width of each content embedding.
          id_dropout: share of item ids hidden in training, in [0, 1).
          text_dim: width of text_vector; 0: items have none.
        """
        super().__init__(**kwargs)
        self.sizes = dict(sizes)
        self.dim = dim
        self.content_dim = content_dim
        self.id_dropout = id_dropout
        self.text_dim = text_dim
        self.id_embedding = MaskedEmbedding(num_ids=sizes[names.ITEM_ID], dim=dim)
        self.content_embeddings = {
            name: MaskedEmbedding(num_ids=sizes[name], dim=content_dim, name=name)
            for name in CONTENT_IDS
            if name in sizes
        }
        self.hidden = tf.keras.layers.Dense(2 * dim, activation="relu")
        self.projection = tf.keras.layers.Dense(dim, use_bias=False)
        if text_dim:
            # Orthogonal: what was near stays near, before anything is learned.
            self.text_projection = tf.keras.layers.Dense(
                dim, use_bias=False, kernel_initializer="orthogonal"
            )

    def call(self, features: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Item vectors.

        Args:
          features: name -> [num_items] or [num_items, width] ids (0 unknown or pad),
            and optionally log_price_xf [num_items] float32; with `text_dim` also
            text_vector [num_items, text_dim] float32, zeros where there is no text.
          training: hides ids at random where True.

        Returns:
          [num_items, dim] float32, not normalized.
        """
        vectors = self.id_embedding(features[names.ITEM_ID])
        if training and self.id_dropout > 0:
            kept = tf.random.uniform(tf.shape(vectors)[:1]) >= self.id_dropout
            vectors *= tf.cast(kept, vectors.dtype)[:, None]
        parts = [
            _mean_of_known(embedding(features[name]), features[name])
            for name, embedding in self.content_embeddings.items()
        ]
        if names.LOG_PRICE in features:
            parts.append(features[names.LOG_PRICE][:, None])
        if self.text_dim:
            text = self.text_projection(features[names.TEXT_VECTOR])
            vectors += text
            parts.append(text)
        if not parts:
            return vectors
        content = tf.concat(parts, -1)
        return vectors + self.projection(self.hidden(content))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "sizes": self.sizes,
            "dim": self.dim,
            "content_dim": self.content_dim,
            "id_dropout": self.id_dropout,
            "text_dim": self.text_dim,
        }


def _mean_of_known(vectors: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """Mean over axis 1 of the vectors whose id is known; as is for one id per item."""
    if ids.shape.rank == 1:
        return vectors
    count = tf.reduce_sum(tf.cast(ids > 0, vectors.dtype), 1, keepdims=True)
    return tf.reduce_sum(vectors, 1) / tf.maximum(count, 1.0)
