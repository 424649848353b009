"""The batches that one epoch trains on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from core.config.ranker import RankerConfig
from trainer.ranker.dataset import CandidateRows, Ints, sample_lists


class ListBatch(NamedTuple):
    """M moments of up to R rows; padded rows have mask False."""

    features: tf.Tensor  # [M, R, F] float32, normalized
    labels: tf.Tensor  # [M, R, T] uint8
    owned: tf.Tensor  # [M, R] bool
    mask: tf.Tensor  # [M, R] bool
    gains: tf.Tensor  # [M, R] float32, worth in the listwise loss


def list_batches(
    rows: CandidateRows, moments: Ints, *, config: RankerConfig, epoch: int
) -> Iterator[ListBatch]:
    """One epoch's batches in an order and with samples that (seed, epoch) decide."""
    rng = np.random.default_rng([config.seed, epoch])
    moments = rng.permutation(moments)
    lists = sample_lists(rows, moments, size=config.rows_per_moment, rng=rng)
    target = rows.event_types.index(config.target_event)
    worth = rows.labels[:, target] if rows.gains is None else rows.gains
    worth = worth.astype(np.float32)
    for start in range(0, len(moments), config.moments_per_batch):
        batch = lists[start : start + config.moments_per_batch]
        mask = batch >= 0
        batch = batch[:, : max(int(mask.sum(axis=1).max()), 1)]
        mask = mask[:, : batch.shape[1]]
        numbers = np.where(mask, batch, 0)
        yield ListBatch(
            rows.features[numbers],
            rows.labels[numbers],
            rows.owned[numbers],
            mask,
            worth[numbers],
        )
