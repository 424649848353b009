"""The Retriever's SavedModel: both towers on raw features, and the item matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from core import features, signatures
from core.config.retriever import RetrieverConfig
from trainer.export.item_texts import item_texts
from trainer.export.query_features import QueryFeatures
from trainer.layers.history_encoder import age_buckets
from trainer.preprocessing import names
from trainer.retriever.catalogue import ITEM_FEATURES, Catalogue
from trainer.retriever.model import TwoTower
from trainer.retriever.transformed import ITEM_COLUMNS, apply_layer
from trainer.traced import traced

if TYPE_CHECKING:
    import tensorflow_transform as tft

_STRING_ITEM_COLUMNS = ITEM_COLUMNS[:-1]  # all but the price


class RetrieverExport(tf.Module):
    """Both towers with the Transform graph inside; B, H and M are dynamic.

    Attributes:
      item_embeddings: [n, d] float32 candidate embeddings in catalogue order.
      item_vectors: [n + 1, d] float32 shared item vectors; row n is zeros.
      embed_query: people and moments → [B, d] float32, norm 1.
      embed_search: the same with the text encoder's vectors [B, text_dim] of queries
        in front; zeros (no words) give embed_query's answer. Only where the towers
        read text.
      embed_item: raw columns of items, in the catalogue or not → [M, d] float32.
    """

    def __init__(
        self,
        model: TwoTower,
        transform: tft.TFTransformOutput,
        catalogue: Catalogue,
        text_encoder: Any = None,
    ) -> None:
        """
        Args:
          model: the fitted towers.
          transform: the Transform step's graph.
          catalogue: what the model was fitted with.
          text_encoder: has embed_queries and embed_items; becomes part of the file.
            Required by a model that reads text.
        """
        super().__init__()
        # Its methods, not the training model itself: its catalogue constants, metrics
        # and optimizer stay out of the file.
        self._queries, self._candidates = model.queries, model.candidates
        self._item_vectors = model.item_vectors
        self._config: RetrieverConfig = model.config
        self.text_encoder = text_encoder
        self._raw_spec = transform.raw_feature_spec()
        self._item_features = [f for f in ITEM_FEATURES if f in catalogue.item_features]
        self.transform_layer = transform.transform_features_layer()
        self.query_features = QueryFeatures(transform, self._config.context_features)
        vectors, candidates = model.item_matrix()
        num_items = catalogue.num_items
        self.item_embeddings = tf.Variable(candidates[:num_items], trainable=False)
        padded = tf.concat([vectors[:num_items], tf.zeros_like(vectors[:1])], 0)
        self.item_vectors = tf.Variable(padded, trainable=False)
        self.layers = [
            model.item_encoder,
            model.history_encoder,
            model.user_embedding,
            *model.person_embeddings.values(),
            model.query_tower,
            model.candidate_tower,
        ]
        self.embed_query = traced(
            self._embed_query, input_signature=_query_signature(self._config)
        )
        self.embed_item = traced(self._embed_item, input_signature=[_item_signature()])
        if text_encoder is not None:
            text_dim = catalogue.item_features[names.TEXT_VECTOR].shape[1]
            self.embed_search = traced(
                self._embed,
                input_signature=[
                    tf.TensorSpec([None, text_dim], tf.float32, "words"),
                    *_query_signature(self._config),
                ],
            )

    def _embed_query(
        self,
        user_ids: tf.Tensor,
        timestamps: tf.Tensor,
        history_rows: tf.Tensor,
        history_events: tf.Tensor,
        history_timestamps: tf.Tensor,
        context: tf.Tensor,
    ) -> tf.Tensor:
        """[B, d] L2-normalized query embeddings; see `trainer.moment.Moment`."""
        return self._embed(
            None,
            user_ids,
            timestamps,
            history_rows,
            history_events,
            history_timestamps,
            context,
        )

    def _embed(
        self,
        words: tf.Tensor | None,
        user_ids: tf.Tensor,
        timestamps: tf.Tensor,
        history_rows: tf.Tensor,
        history_events: tf.Tensor,
        history_timestamps: tf.Tensor,
        context: tf.Tensor,
    ) -> tf.Tensor:
        """[B, d] L2-normalized query embeddings of words and moments."""
        persons = self.query_features(user_ids, timestamps, context)
        pad = tf.shape(self.item_vectors)[0] - 1
        rows = tf.where((history_rows >= 0) & (history_rows < pad), history_rows, pad)
        newest = newest_slots(rows < pad, self._config.max_history)
        rows = tf.gather(rows, newest, batch_dims=1)
        times = tf.gather(history_timestamps, newest, batch_dims=1)
        events = tf.gather(history_events, newest, batch_dims=1)
        limit = len(self._config.event_types)
        return self._queries(
            persons,
            tf.gather(self.item_vectors, rows),
            tf.where((events >= 0) & (events < limit), events, -1),
            age_buckets(timestamps, times),
            rows < pad,
            words,
        )

    def _embed_item(self, item: dict[str, tf.Tensor]) -> tf.Tensor:
        """[M, d] L2-normalized candidate embeddings of raw item columns."""
        transformed = apply_layer(self.transform_layer, self._raw_spec, item)
        inputs = {name: transformed[name] for name in self._item_features}
        if self.text_encoder is not None:
            texts = item_texts(item)
            inputs[names.TEXT_VECTOR] = self.text_encoder.embed_items(texts)
        return self._candidates(self._item_vectors(inputs))


def newest_slots(valid: tf.Tensor, max_history: int) -> tf.Tensor:
    """Positions of the newest valid slots, right-aligned, in their order.

    Args:
      valid: [batch_size, history] bool; padding may lie on either side.
      max_history: how many positions to keep.

    Returns:
      [batch_size, min(history, max_history)] int32; padding comes first.
    """
    length = tf.shape(valid)[1]
    # Pads get keys below all valid slots; both keep their order, newest highest.
    keys = tf.range(length)[None, :] + tf.where(valid, length, 0)
    kept = tf.math.top_k(keys, tf.minimum(length, max_history)).indices
    return tf.reverse(kept, [1])


def save_retriever(export: RetrieverExport, folder: str) -> None:
    """Writes the SavedModel with signatures embed_query and embed_item."""
    embed_query = traced(
        lambda **kwargs: {signatures.EMBEDDINGS: export.embed_query(**kwargs)}
    )
    embed_item = traced(
        lambda **kwargs: {signatures.EMBEDDINGS: export.embed_item(kwargs)}
    )
    queries = {spec.name: spec for spec in _query_signature(export._config)}
    tf.saved_model.save(
        export,
        folder,
        signatures={
            signatures.EMBED_QUERY: embed_query.get_concrete_function(**queries),
            signatures.EMBED_ITEM: embed_item.get_concrete_function(
                **_item_signature()
            ),
        },
    )


def _query_signature(config: RetrieverConfig) -> list[tf.TensorSpec]:
    width = len(config.context_features)
    return [
        tf.TensorSpec([None], tf.string, "user_ids"),
        tf.TensorSpec([None], tf.int64, "timestamps"),
        tf.TensorSpec([None, None], tf.int32, "history_rows"),
        tf.TensorSpec([None, None], tf.int32, features.HISTORY_EVENTS),
        tf.TensorSpec([None, None], tf.int64, features.HISTORY_TIMESTAMPS),
        tf.TensorSpec([None, width], tf.string, "context"),
    ]


def _item_signature() -> dict[str, tf.TensorSpec]:
    names = dict.fromkeys(_STRING_ITEM_COLUMNS, tf.string)
    return {
        name: tf.TensorSpec([None], dtype, name)
        for name, dtype in {**names, features.PRICE: tf.float32}.items()
    }
