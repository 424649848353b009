"""The two-tower model: a tfrs.Model over index batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from core.config.retriever import RetrieverConfig
from trainer.layers.history_encoder import HistoryEncoder
from trainer.layers.item_encoder import ItemEncoder
from trainer.layers.masked_embedding import MaskedEmbedding
from trainer.layers.towers import ResidualTower
from trainer.preprocessing import names
from trainer.preprocessing.times import NUM_HOURS, NUM_WEEKDAYS

_TIME_DIM = 8
# Words say what is wanted now, history and user what was. Recall@100 of the simulated
# shop's search pages is .82 with 1, .87 with 3, .89 with 6 and .87 with 10; of moments
# without words it is .518, .522, .519 and .519.
_WORDS_GAIN = 3.0


class TwoTower(tfrs.Model):
    """Query and candidate tower over shared item vectors, in-batch softmax.

    Args of the constructor:
      config: dimensions, encoder, loss.
      sizes: transformed feature name -> largest id.
      item_features: name -> [n + 1, ...] transformed catalogue; row n pads. With
        text_vector in it both towers read text.
      query_vectors: [q + 1, text_dim] float32 of the words of searches, which the
        batches' `query_rows` point into; row 0 is zeros.
    """

    def __init__(
        self,
        config: RetrieverConfig,
        sizes: dict[str, int],
        item_features: dict[str, np.ndarray],
        query_vectors: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self._item_features = {
            name: tf.constant(values) for name, values in item_features.items()
        }
        item_sizes = {
            name: sizes.get(name, int(values.max(initial=1)))
            for name, values in item_features.items()
            if name not in (names.LOG_PRICE, names.TEXT_VECTOR)
        }
        text = item_features.get(names.TEXT_VECTOR)
        self.text_dim = 0 if text is None else text.shape[1]
        self.query_vectors = (
            None if query_vectors is None else tf.constant(query_vectors)
        )
        dim, hidden_dim = config.embedding_dim, config.hidden_dim
        self.item_encoder = ItemEncoder(
            sizes=item_sizes,
            dim=dim,
            content_dim=config.content_dim,
            id_dropout=config.item_id_dropout,
            text_dim=self.text_dim,
        )
        self.history_encoder = HistoryEncoder(
            kind=config.history_encoder,
            dim=dim,
            num_events=len(config.event_types),
            max_history=config.max_history,
            num_layers=config.history_layers,
            shared_layers=config.shared_history_layers,
        )
        self.user_embedding = MaskedEmbedding(num_ids=sizes[names.USER_ID], dim=dim)
        self.person_embeddings = {
            names.HOUR: MaskedEmbedding(num_ids=NUM_HOURS, dim=_TIME_DIM),
            names.WEEKDAY: MaskedEmbedding(num_ids=NUM_WEEKDAYS, dim=_TIME_DIM),
        } | {
            names.context(name): MaskedEmbedding(
                num_ids=sizes[names.context(name)], dim=_TIME_DIM
            )
            for name in config.context_features
        }
        self.query_tower = ResidualTower(dim=dim, hidden_dim=hidden_dim)
        self.candidate_tower = ResidualTower(dim=dim, hidden_dim=hidden_dim)
        self.task = tfrs.tasks.Retrieval(
            temperature=config.temperature,
            num_hard_negatives=config.num_hard_negatives,
            remove_accidental_hits=config.remove_accidental_hits,
        )
        # Its own function: TFRS's task needs AutoGraph, which the step goes without.
        self._task_loss = tf.function(self.task)
        # Mean over the epoch; Keras itself reports the last step's loss alone.
        self.mean_loss = tf.keras.metrics.Mean(name="mean_loss")

    def parameter_counts(self) -> dict[str, int]:
        """Trained numbers by part; items and histories share the first."""
        parts: dict[str, list[tf.keras.layers.Layer]] = {
            "items and histories": [self.item_encoder],
            "history encoder": [self.history_encoder],
            "users and context": [
                self.user_embedding,
                *self.person_embeddings.values(),
            ],
            "query tower": [self.query_tower],
            "candidate tower": [self.candidate_tower],
        }
        return {
            name: sum(int(v.shape.num_elements()) for p in part for v in p.weights)
            for name, part in parts.items()
        }

    def item_vectors(
        self, item_features: dict[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """[m, d] shared item vectors of transformed item features [m, ...]."""
        return self.item_encoder(item_features, training=training)

    def candidates(self, item_vectors: tf.Tensor) -> tf.Tensor:
        """[m, d] L2-normalized candidate embeddings of item vectors [m, d]."""
        return self.candidate_tower(item_vectors, item_vectors)

    def queries(
        self,
        persons: dict[str, tf.Tensor],
        history_vectors: tf.Tensor,
        history_events: tf.Tensor,
        history_ages: tf.Tensor,
        history_valid: tf.Tensor,
        words: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """Query embeddings.

        Args:
          persons: user_id_xf, hour_xf, weekday_xf and contexts, [batch_size] integers.
          history_vectors: [batch_size, history, d] item vectors, newest last.
          history_events: [batch_size, history] int32, -1 unknown.
          history_ages: [batch_size, history] int32 age buckets.
          history_valid: [batch_size, history] bool.
          words: [batch_size, text_dim] float32 text vectors of what was searched for;
            zeros, or None, without words. Not read by a model without text.
          training: hides user ids at random where True.

        Returns:
          [batch_size, d] float32, L2-normalized.
        """
        history = self.history_encoder(
            history_vectors,
            history_events,
            history_ages,
            history_valid,
            training=training,
        )
        user = self.user_embedding(persons[names.USER_ID])
        if training and self.config.user_id_dropout > 0:
            kept = tf.random.uniform(tf.shape(user)[:1]) >= self.config.user_id_dropout
            user *= tf.cast(kept, user.dtype)[:, None]
        parts = [history, user]
        for name, embedding in self.person_embeddings.items():
            # Hours and weekdays count from 0; id 0 of the table means unknown.
            shift = 1 if name in (names.HOUR, names.WEEKDAY) else 0
            parts.append(embedding(persons[name] + shift))
        base = history + user
        if self.text_dim:
            if words is None:
                words = tf.zeros([tf.shape(user)[0], self.text_dim], user.dtype)
            words = self.item_encoder.text_projection(words)
            base += _WORDS_GAIN * words
            parts.append(words)
        return self.query_tower(base, tf.concat(parts, -1))

    def words(self, query_rows: tf.Tensor | None) -> tf.Tensor | None:
        """[batch_size, text_dim] text vectors of rows [batch_size]; None without."""
        if self.query_vectors is None or query_rows is None:
            return None
        return tf.gather(self.query_vectors, query_rows)

    def item_matrix(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Shared vectors [n + 1, d] and candidate embeddings [n + 1, d] of all rows."""
        vectors = self.item_vectors(self._item_features)
        return vectors, self.candidates(vectors)

    def compute_loss(
        self, features: dict[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """Summed in-batch softmax loss of one batch of `batches.epoch_batches`."""
        rows = features["unique_rows"]
        item_features = {n: tf.gather(v, rows) for n, v in self._item_features.items()}
        vectors = self.item_vectors(item_features, training=training)
        queries = self.queries(
            {n: features[n] for n in (names.USER_ID, *self.person_embeddings)},
            tf.gather(vectors, features["history_slots"]),
            features["history_events"],
            features["history_ages"],
            features["history_valid"],
            self.words(features.get("query_rows")),
            training=training,
        )
        query_of, weights = features["query_of"], features["target_weights"]
        probabilities = (
            features["target_probabilities"]
            if self.config.sampling_correction
            else None
        )
        loss = self._task_loss(
            tf.gather(queries, query_of),
            self.candidates(tf.gather(vectors, features["target_slots"])),
            sample_weight=weights,
            candidate_sampling_probability=probabilities,
            candidate_ids=features["target_rows"],
            score_mask=other_moments(query_of),
            compute_metrics=False,
        )
        weight = tf.reduce_sum(weights)
        self.mean_loss.update_state(loss / weight, sample_weight=weight)
        return loss

    # AutoGraph has nothing to convert in the rest of a step, but takes 10 s to see it.
    @tf.autograph.experimental.do_not_convert
    def train_step(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One optimizer step; the metrics that Keras logs."""
        return super().train_step(inputs)

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError("Checkpoints hold the weights; see fit.py.")


def other_moments(query_of: tf.Tensor) -> tf.Tensor:
    """Which candidates may serve a query: its own, and those of other moments.

    Another target of the same moment is no negative.

    Args:
      query_of: [batch_size] int32, the moment of each pair.

    Returns:
      [batch_size, batch_size] bool.
    """
    same = tf.equal(query_of[:, None], query_of[None, :])
    return tf.linalg.set_diag(tf.logical_not(same), tf.ones_like(query_of, tf.bool))
