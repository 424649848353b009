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
from trainer.text_encoder.schedule import TrainingPhase
from trainer.text_encoder.tokens import IntArray, shuffled_batches, trim
from trainer.text_encoder.wordpiece import WordPieceTokenizer

STEP = "TextEncoder"


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
    mask = _masking(tokenizer, config.mask_rate, token_ids.shape[1])
    losses: list[float] = []
    texts = 0
    for epoch in range(config.pretrain_epochs if len(token_ids) else 0):
        sums = np.zeros(2)
        for rows in shuffled_batches(lengths, config.pretrain_batch, rng):
            if phase.out_of_time:
                break
            phase.next_step()
            sums += step(*mask(tf.constant(trim(token_ids[rows]))))
            texts += len(rows)
        if sums[1]:
            losses.append(float(sums[0] / sums[1]))
            progress.advance(
                STEP, epoch + 1, config.pretrain_epochs, f"masked loss {losses[-1]:.3f}"
            )
    return {
        "losses": [round(loss, 4) for loss in losses],
        "steps": phase.steps,
        "seconds": round(phase.seconds, 2),
        "texts_per_second": round(texts / max(phase.seconds, 1e-9), 1),
        "out_of_time": phase.out_of_time,
    }


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
    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None], tf.float32),
        ]
    )
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

    return step


def _masking(tokenizer: WordPieceTokenizer, rate: float, max_tokens: int) -> Any:
    """Token ids → ids with hidden tokens, their positions, what was hidden, weights."""
    generator = keras_nlp.layers.MaskedLMMaskGenerator(
        vocabulary_size=tokenizer.vocabulary_size,
        mask_selection_rate=rate,
        mask_selection_length=max(1, round(rate * max_tokens)),
        mask_token_id=tokenizer.mask_id,
        unselectable_token_ids=tokenizer.special_ids,
    )

    # Traced once: called eagerly, the generator takes longer than the training step.
    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
    def mask(ids: tf.Tensor) -> list[tf.Tensor]:
        masked = generator(ids)
        return [
            masked["token_ids"],
            tf.cast(masked["mask_positions"], tf.int32),
            masked["mask_ids"],
            masked["mask_weights"],
        ]

    return mask
