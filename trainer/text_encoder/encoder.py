"""Token ids become one vector: BERT, masked mean, projection, norm 1."""

from __future__ import annotations

from typing import Any

import keras
import keras_nlp
import tensorflow as tf

from core.config.text_encoder import TextEncoderConfig

_NORM_EPSILON = 1e-12


class TextEncoder:
    """`BertBackbone` with mean pooling over the tokens and an optional projection.

    Neither a tf-keras nor a tf.Module object on purpose: assigned to a tf-keras model
    a Keras 3 model is silently frozen, and `tf.saved_model.save` would trace the whole
    of it. `TextEncoderExport` tracks the variables one by one.
    """

    def __init__(self, backbone: Any, output_dim: int = 0) -> None:
        """
        Args:
          backbone: keras_nlp.models.BertBackbone.
          output_dim: width of the vectors; 0 for the backbone's own.
        """
        self.backbone = backbone
        # Without the pooler: it would be computed, and captured by the SavedModel.
        self._sequence = keras.Model(backbone.input, backbone.output["sequence_output"])
        self.projection: Any = None
        if output_dim and output_dim != backbone.hidden_dim:
            self.projection = keras.layers.Dense(output_dim, use_bias=False)
            self.projection.build((None, backbone.hidden_dim))

    @property
    def output_dim(self) -> int:
        """d"""
        if self.projection is None:
            return int(self.backbone.hidden_dim)
        return int(self.projection.units)

    @property
    def trainable_variables(self) -> list[Any]:
        """Keras variables that fine-tuning changes."""
        mine = list(self._sequence.trainable_variables)
        if self.projection is not None:
            mine += self.projection.trainable_variables
        return mine

    @property
    def weights(self) -> list[Any]:
        """Keras variables that `__call__` reads, without the seeds of dropout."""
        mine = list(self._sequence.weights)
        if self.projection is not None:
            mine += self.projection.weights
        return mine

    def hidden(self, token_ids: tf.Tensor, training: bool = False) -> tf.Tensor:
        """[B, T, hidden_dim] float32 of every token.

        Args:
          token_ids: [B, T] int32; 0 pads.
        """
        inputs = {
            "token_ids": token_ids,
            "segment_ids": tf.zeros_like(token_ids),
            "padding_mask": tf.cast(token_ids > 0, tf.int32),
        }
        return self._sequence(inputs, training=training)

    def __call__(self, token_ids: tf.Tensor, training: bool = False) -> tf.Tensor:
        """[B, d] float32, norm 1; zero for a text without tokens.

        Args:
          token_ids: [B, T] int32; 0 pads.
        """
        hidden = self.hidden(token_ids, training)
        mask = tf.cast(token_ids > 0, hidden.dtype)[:, :, tf.newaxis]
        count = tf.maximum(tf.reduce_sum(mask, axis=1), 1.0)
        pooled = tf.reduce_sum(hidden * mask, axis=1) / count
        if self.projection is not None:
            pooled = self.projection(pooled)
        return tf.math.l2_normalize(pooled, axis=-1, epsilon=_NORM_EPSILON)


def new_encoder(vocabulary_size: int, config: TextEncoderConfig) -> TextEncoder:
    """An encoder with fresh weights from the seed."""
    keras.utils.set_random_seed(config.seed)
    backbone = keras_nlp.models.BertBackbone(
        vocabulary_size=vocabulary_size,
        num_layers=config.num_layers,
        num_heads=config.num_heads,
        hidden_dim=config.hidden_dim,
        intermediate_dim=config.mlp_dim,
        dropout=config.dropout,
        max_sequence_length=max(config.max_query_tokens, config.max_item_tokens),
        num_segments=1,
    )
    return TextEncoder(backbone, config.output_dim)


def count_parameters(variables: list[Any]) -> int:
    """Numbers that the variables hold."""
    return sum(int(v.shape.num_elements()) for v in map(_tensor, variables))


def _tensor(variable: Any) -> tf.Variable:
    return variable.value if hasattr(variable, "value") else variable
