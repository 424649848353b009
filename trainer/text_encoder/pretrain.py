"""Masked-language pretraining on the texts of items and queries."""

from __future__ import annotations

from typing import Any

import keras
import keras_nlp
import numpy as np
import tensorflow as tf

from core import progress
from core.config.text_encoder import TextEncoderConfig
from trainer.text_encoder.encoder import TextEncoder
from trainer.text_encoder.masking import hide_tokens
from trainer.text_encoder.schedule import TrainingPhase
from trainer.text_encoder.tokens import IntArray, shuffled_batches, trim
from trainer.text_encoder.wordpiece import WordPieceTokenizer
from trainer.traced import traced

STEP = "TextEncoder"
_CENTER_SAMPLE = 1_024


def pretrain(
    encoder: TextEncoder,
    tokenizer: WordPieceTokenizer,
    token_ids: IntArray,
    config: TextEncoderConfig,
    seconds: float,
) -> dict[str, Any]:
    """Trains the encoder in place to name hidden tokens (Devlin et al., 2018).

    Args:
      token_ids: [n, T] int32 of the texts; 0 pads.
      seconds: no new step after this long.

    Returns:
      {"losses": mean nats per hidden token of each epoch, "steps", "seconds",
      "texts_per_second", "out_of_time"}.
    """
    token_ids = token_ids[(token_ids > 0).any(axis=1)]
    lengths = (token_ids > 0).sum(axis=1)
    rng = np.random.default_rng(config.seed)
    per_epoch = max(1, len(token_ids) // config.pretrain_batch)
    head = _head(encoder)
    phase = TrainingPhase(
        encoder.trainable_variables + head.trainable_variables,
        num_steps=config.pretrain_epochs * per_epoch,
        learning_rate=config.pretrain_learning_rate,
        warmup_share=config.warmup_share,
        weight_decay=config.weight_decay,
        seconds=seconds,
    )
    step = _step(encoder, head, phase)
    losses: list[float] = []
    texts = 0
    for epoch in range(config.pretrain_epochs if len(token_ids) else 0):
        sums = np.zeros(2)
        for rows in shuffled_batches(lengths, config.pretrain_batch, rng):
            if phase.out_of_time:
                break
            phase.next_step()
            sums += step(
                *hide_tokens(trim(token_ids[rows]), tokenizer, config.mask_rate, rng)
            )
            texts += len(rows)
        if sums[1]:
            losses.append(float(sums[0] / sums[1]))
            progress.advance(
                STEP, epoch + 1, config.pretrain_epochs, f"masked loss {losses[-1]:.3f}"
            )
    if losses:
        center(encoder, token_ids[rng.permutation(len(token_ids))[:_CENTER_SAMPLE]])
    return {
        "losses": [round(loss, 4) for loss in losses],
        "steps": phase.steps,
        "seconds": round(phase.seconds, 2),
        "texts_per_second": round(texts / max(phase.seconds, 1e-9), 1),
        "out_of_time": phase.out_of_time,
    }


def center(encoder: TextEncoder, token_ids: IntArray) -> None:
    """Moves the last norm's offset so that the pooled vectors of these texts sum to 0.

    Masked-language models put all texts into a narrow cone (Ethayarajh, 2019): cosines
    near 1 that fine-tuning would have to spread first.

    Args:
      token_ids: [n, T] int32; every row has a token.
    """
    ids = tf.constant(trim(token_ids))
    mask = tf.cast(ids > 0, tf.float32)[:, :, tf.newaxis]
    pooled = tf.reduce_sum(encoder.hidden(ids) * mask, 1) / tf.reduce_sum(mask, 1)
    norm = encoder.backbone.transformer_layers[-1]._feedforward_layer_norm
    norm.beta.assign_sub(tf.reduce_mean(pooled, axis=0))


def _head(encoder: TextEncoder) -> Any:
    """The language-model head; its output weights are the token embeddings."""
    head = keras_nlp.layers.MaskedLMHead(
        token_embedding=encoder.backbone.token_embedding,
        intermediate_activation="gelu",
        kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.02),
    )
    width = encoder.backbone.hidden_dim
    head.build((None, None, width), (None, None))
    return head


def _step(encoder: TextEncoder, head: Any, phase: TrainingPhase) -> Any:
    def step(
        ids: tf.Tensor, positions: tf.Tensor, hidden_ids: tf.Tensor, weights: tf.Tensor
    ) -> tf.Tensor:
        """[2] sum of the losses, number of hidden tokens."""
        with tf.GradientTape() as tape:
            states = encoder.hidden(ids, training=True)
            logits = head(states, mask_positions=positions)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(hidden_ids, logits)
            total = tf.reduce_sum(losses * weights)
            count = tf.reduce_sum(weights)
            loss = total / tf.maximum(count, 1.0)
        phase.apply(tape, loss)
        return tf.stack([total, count])

    return traced(
        step,
        input_signature=[
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None], tf.float32),
        ],
    )
