"""Shuffled, pre-batched training data of one epoch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from core.config.retriever import RetrieverConfig
from trainer.retriever.moments import MomentArrays, ranges


def sampling_probabilities(
    moments: MomentArrays, num_items: int, max_targets: int
) -> np.ndarray:
    """How likely each item is to be an in-batch candidate.

    A moment with t targets gives min(t, max_targets) of them, all equally likely.

    Args:
      moments: the training moments.
      num_items: n.
      max_targets: targets of one moment that one epoch uses.

    Returns:
      [n + 1] float32, sum 1; row n is 0.
    """
    counts = np.diff(moments.target_offsets)
    chance = np.minimum(counts, max_targets) / np.maximum(counts, 1)
    expected = np.bincount(
        moments.target_rows, np.repeat(chance, counts), minlength=num_items + 1
    )
    return (expected / max(expected.sum(), 1e-9)).astype(np.float32)


def sample_pairs(
    moments: MomentArrays, max_targets: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Which targets an epoch uses, in shuffled order of moments.

    Args:
      moments: the training moments.
      max_targets: at most this many targets of each moment.
      generator: source of chance.

    Returns:
      moment [p] and target position [p] of every pair, pairs of a moment side by side.
    """
    order = generator.permutation(moments.num_moments)
    counts = np.diff(moments.target_offsets)[order]
    positions = ranges(moments.target_offsets[order], counts)
    moment = np.repeat(order, counts)
    place = np.repeat(np.arange(len(order)), counts)
    shuffled = np.lexsort((generator.random(len(place)), place))
    rank = ranges(np.zeros_like(counts), counts)
    kept = shuffled[rank < max_targets]
    return moment[kept], positions[kept]


def num_steps(moments: MomentArrays, config: RetrieverConfig) -> int:
    """Batches per epoch, the last one short."""
    counts = np.diff(moments.target_offsets)
    pairs = int(np.minimum(counts, config.max_targets_per_moment).sum())
    return -(-pairs // config.batch_size)


def epoch_batches(
    moments: MomentArrays,
    probabilities: np.ndarray,
    config: RetrieverConfig,
    seed: int,
) -> Iterator[dict[str, np.ndarray]]:
    """Batches of index arrays; the same seed gives the same batches.

    Each batch names every item once (`unique_rows`); history and targets point into
    that list, so that the item tower runs once per item and step. Moments are held once
    too; `query_of` says which query each pair belongs to.
    """
    generator = np.random.default_rng(seed)
    moment, position = sample_pairs(moments, config.max_targets_per_moment, generator)
    slot_of_row = np.zeros(len(probabilities), np.int32)
    for start in range(0, len(moment), config.batch_size):
        pairs = slice(start, start + config.batch_size)
        changes = np.flatnonzero(np.diff(moment[pairs], prepend=-1))
        queries = moment[pairs][changes]
        lengths = np.diff(changes, append=len(moment[pairs]))
        targets = moments.target_rows[position[pairs]]
        history = moments.history_rows[queries]
        history, width = _trimmed(history, len(probabilities) - 1)
        unique = _unique(history, targets, slot_of_row)
        batch = {name: values[queries] for name, values in moments.persons.items()}
        batch |= {
            "unique_rows": unique,
            "history_slots": slot_of_row[history],
            "history_valid": history < len(probabilities) - 1,
            "history_events": moments.history_events[queries][:, -width:],
            "history_ages": moments.history_ages[queries][:, -width:],
            "target_slots": slot_of_row[targets],
            "target_rows": targets,
            "target_weights": moments.target_weights[position[pairs]],
            "target_probabilities": probabilities[targets],
            "query_of": np.repeat(np.arange(len(queries), dtype=np.int32), lengths),
        }
        if moments.query_rows is not None:
            batch["query_rows"] = moments.query_rows[queries]
        yield batch


def dataset(
    moments: MomentArrays,
    probabilities: np.ndarray,
    config: RetrieverConfig,
    seed: int,
) -> tf.data.Dataset:
    """One epoch as a tf.data.Dataset of known length."""
    sample = next(epoch_batches(moments, probabilities, config, seed))
    signature = {
        name: tf.TensorSpec([None] * values.ndim, values.dtype)
        for name, values in sample.items()
    }
    batches = tf.data.Dataset.from_generator(
        lambda: epoch_batches(moments, probabilities, config, seed),
        output_signature=signature,
    )
    steps = num_steps(moments, config)
    return batches.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(4)


def _trimmed(history: np.ndarray, pad: int) -> tuple[np.ndarray, int]:
    """Left-padded histories cut to the longest of the batch, at least one slot."""
    used = np.flatnonzero((history < pad).any(0))
    width = history.shape[1] - int(used[0]) if len(used) else 1
    return history[:, -width:], width


def _unique(
    history: np.ndarray, targets: np.ndarray, slot_of_row: np.ndarray
) -> np.ndarray:
    """Distinct rows; writes each one's position into `slot_of_row`."""
    present = np.zeros(len(slot_of_row), bool)
    present[history] = True
    present[targets] = True
    unique = np.flatnonzero(present).astype(np.int32)
    slot_of_row[unique] = np.arange(len(unique), dtype=np.int32)
    return unique
