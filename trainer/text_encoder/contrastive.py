"""Contrastive fine-tuning: texts that belong together come close."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core import progress
from core.config.text_encoder import TextEncoderConfig
from trainer.text_encoder.encoder import TextEncoder
from trainer.text_encoder.losses import contrastive_loss
from trainer.text_encoder.pair_batches import PairBatches, epoch_pairs
from trainer.text_encoder.pairs import TrainingPairs
from trainer.text_encoder.schedule import TrainingPhase
from trainer.text_encoder.tokens import IntArray
from trainer.traced import traced

STEP = "TextEncoder"


def fine_tune(
    encoder: TextEncoder,
    query_ids: IntArray,
    item_ids: IntArray,
    pairs: TrainingPairs,
    config: TextEncoderConfig,
    seconds: float,
    hard_negatives: Sequence[npt.ArrayLike] | None = None,
) -> dict[str, Any]:
    """Trains the encoder in place on (query, item) and (item, co-bought item) pairs.

    Args:
      query_ids: [Q, Tq] int32 token ids of `pairs.queries`.
      item_ids: [n, Ti] int32 token ids of the items.
      seconds: no new step after this long.
      hard_negatives: for each query, rows of items that words alone confuse with what
        it asks for; `config.hard_negatives` of them join each of its pairs, those left
        out that people did choose.

    Returns:
      {"losses": weighted mean of each epoch, "steps", "seconds", "pairs_per_second",
      "out_of_time"}.
    """
    total = pairs.query_items.num_pairs + pairs.item_items.num_pairs
    # Batches are of one kind, and the last of each is smaller.
    per_epoch = sum(
        -(-kind.num_pairs // config.contrastive_batch)
        for kind in epoch_pairs(pairs, config, None)
    )
    phase = TrainingPhase(
        encoder.trainable_variables,
        num_steps=config.contrastive_epochs * max(1, per_epoch),
        learning_rate=config.learning_rate,
        warmup_share=config.warmup_share,
        weight_decay=config.weight_decay,
        seconds=seconds,
    )
    rng = np.random.default_rng(config.seed)
    batches = PairBatches(query_ids, item_ids, pairs, config, hard_negatives, rng)
    step = _step(encoder, phase, config.temperature)
    losses: list[float] = []
    seen = 0
    for epoch in range(config.contrastive_epochs if total else 0):
        sums, count = 0.0, 0
        for batch in batches.epoch():
            if phase.out_of_time:
                break
            phase.next_step()
            size = len(batch[0])
            sums += float(step(*batch)) * size
            count += size
        seen += count
        if count:
            losses.append(sums / count)
            note = f"contrastive loss {losses[-1]:.3f}"
            progress.advance(STEP, epoch + 1, config.contrastive_epochs, note)
    return {
        "losses": [round(loss, 4) for loss in losses],
        "steps": phase.steps,
        "seconds": round(phase.seconds, 2),
        "pairs_per_second": round(seen / max(phase.seconds, 1e-9), 1),
        "out_of_time": phase.out_of_time,
    }


def _step(encoder: TextEncoder, phase: TrainingPhase, temperature: float) -> Any:
    def step(
        left: tf.Tensor, right: tf.Tensor, forbidden: tf.Tensor, weights: tf.Tensor
    ) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = contrastive_loss(
                encoder(left, training=True),
                encoder(right, training=True),
                forbidden,
                weights,
                temperature,
            )
        phase.apply(tape, loss)
        return loss

    return traced(
        step,
        input_signature=[
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None], tf.bool),
            tf.TensorSpec([None], tf.float32),
        ],
    )
