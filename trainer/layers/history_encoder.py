"""Items, events and ages of a history become one vector."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from trainer.layers.cnn_history import CnnHistory
from trainer.layers.gru_history import GruHistory
from trainer.layers.mean_history import MeanHistory
from trainer.layers.transformer_history import TransformerHistory

NUM_AGE_BUCKETS = 16


def age_buckets(timestamps: tf.Tensor, history_timestamps: tf.Tensor) -> tf.Tensor:
    """log2 of each slot's age in quarters of an hour, 0 .. NUM_AGE_BUCKETS - 1.

    Bucket 0 is under 15 minutes, 7 about a day, 15 beyond 341 days.

    Args:
      timestamps: [batch_size] int64, seconds: the moment.
      history_timestamps: [batch_size, history] int64, seconds; pads give any bucket.

    Returns:
      [batch_size, history] int32.
    """
    age_s = tf.maximum(timestamps[:, None] - history_timestamps, 0)
    log = tf.math.log1p(tf.cast(age_s, tf.float32) / 900.0) / tf.math.log(2.0)
    return tf.minimum(tf.cast(log, tf.int32), NUM_AGE_BUCKETS - 1)


@tf.keras.utils.register_keras_serializable(package="souk")
class HistoryEncoder(tf.keras.layers.Layer):
    """One vector per history, by the encoder that the configuration names.

    Each slot's item vector is scaled by a learned weight of its age and its event type,
    and joined by an embedding of both, before `mean`, `gru`, `cnn` or `transformer`.

    >>> encoder = HistoryEncoder(kind="mean", dim=4, num_events=2, max_history=3)
    >>> zeros = tf.zeros([2, 3], tf.int32)
    >>> encoder(tf.zeros([2, 3, 4]), zeros, zeros, tf.ones([2, 3], tf.bool)).shape
    TensorShape([2, 4])
    """

    def __init__(
        self,
        *,
        kind: str,
        dim: int,
        num_events: int,
        max_history: int,
        num_layers: int = 1,
        shared_layers: bool = False,
        **kwargs: Any,
    ) -> None:
        """Builds the encoder.

        Args:
          kind: `mean`, `gru`, `cnn` or `transformer`.
          dim: width of item vectors and of the result.
          num_events: how many event types the shop has.
          max_history: the longest history it will see.
          num_layers: blocks of the `transformer`.
          shared_layers: its blocks have the same weights.
        """
        super().__init__(**kwargs)
        self.kind = kind
        self.dim = dim
        self.num_events = num_events
        self.max_history = max_history
        self.num_layers = num_layers
        self.shared_layers = shared_layers
        self.encoder = self._encoder()

    def build(self, input_shape: Any) -> None:
        kinds = (self.num_events + 1) * NUM_AGE_BUCKETS
        self.slot_scale = self.add_weight(
            name="slot_scale", shape=(kinds,), initializer="zeros"
        )
        self.slot_table = self.add_weight(
            name="slot_table",
            shape=(kinds, self.dim),
            initializer=tf.keras.initializers.RandomUniform(-0.01, 0.01),
        )
        super().build(input_shape)

    def call(
        self,
        vectors: tf.Tensor,
        events: tf.Tensor,
        ages: tf.Tensor,
        valid: tf.Tensor,
        training: bool = False,
    ) -> tf.Tensor:
        """One vector per history.

        Args:
          vectors: [batch_size, history, dim] float32 item vectors, newest last.
          events: [batch_size, history] int32, -1 unknown.
          ages: [batch_size, history] int32 from `age_buckets`.
          valid: [batch_size, history] bool, False pads.
          training: as in Keras.

        Returns:
          [batch_size, dim] float32; zero for an empty history.
        """
        slots = (events + 1) * NUM_AGE_BUCKETS + ages
        scale = tf.exp(tf.gather(self.slot_scale, slots))[..., None]
        vectors = vectors * scale + tf.gather(self.slot_table, slots)
        return self.encoder(vectors, valid, training=training)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kind": self.kind,
            "dim": self.dim,
            "num_events": self.num_events,
            "max_history": self.max_history,
            "num_layers": self.num_layers,
            "shared_layers": self.shared_layers,
        }

    def _encoder(self) -> tf.keras.layers.Layer:
        if self.kind == "mean":
            return MeanHistory()
        if self.kind == "gru":
            return GruHistory(dim=self.dim)
        if self.kind == "cnn":
            return CnnHistory(dim=self.dim)
        if self.kind == "transformer":
            return TransformerHistory(
                dim=self.dim,
                max_history=self.max_history,
                num_layers=self.num_layers,
                shared=self.shared_layers,
            )
        raise ValueError(
            f"`kind` must be mean, gru, cnn or transformer. Received: {self.kind}."
        )
