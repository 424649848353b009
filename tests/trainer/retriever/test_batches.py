"""Batches against a plain reading of the moments."""

from __future__ import annotations

import numpy as np

import trainer  # noqa: F401  (sets TF_USE_LEGACY_KERAS)
from tests.trainer.retriever import worlds
from trainer.retriever import batches
from trainer.retriever.moments import concatenate, ranges


def test_ranges_by_hand() -> None:
    picked = ranges(np.array([5, 0, 9]), np.array([2, 0, 3]))
    assert picked.tolist() == [5, 6, 9, 10, 11]


def test_an_epoch_holds_every_pair_once() -> None:
    moments = worlds.checkerboard_moments(300, seed=1)
    config = worlds.tiny_config(batch_size=64)
    chances = batches.sampling_probabilities(moments, worlds.NUM_ITEMS, 4)
    seen = []
    for batch in batches.epoch_batches(moments, chances, config, seed=3):
        unique = batch["unique_rows"]
        assert len(np.unique(unique)) == len(unique)
        np.testing.assert_array_equal(
            unique[batch["target_slots"]], batch["target_rows"]
        )
        history = unique[batch["history_slots"]][batch["query_of"]]
        seen += [
            (*h.tolist(), t) for h, t in zip(history, batch["target_rows"], strict=True)
        ]
    moment = np.repeat(np.arange(300), 2)
    expected = [
        (*moments.history_rows[m].tolist(), t)
        for m, t in zip(moment, moments.target_rows, strict=True)
    ]
    assert sorted(seen) == sorted(expected)


def test_the_same_seed_gives_the_same_batches() -> None:
    moments = worlds.checkerboard_moments(50, seed=1)
    config = worlds.tiny_config(batch_size=16)
    chances = batches.sampling_probabilities(moments, worlds.NUM_ITEMS, 4)

    def targets(seed: int) -> list[int]:
        epoch = batches.epoch_batches(moments, chances, config, seed)
        return np.concatenate([b["target_rows"] for b in epoch]).tolist()

    assert targets(1) == targets(1)
    assert targets(1) != targets(2)


def test_at_most_max_targets_of_a_moment() -> None:
    moments = worlds.checkerboard_moments(40, seed=1)
    moment, position = batches.sample_pairs(moments, 1, np.random.default_rng(0))
    assert sorted(moment.tolist()) == list(range(40))
    np.testing.assert_array_equal(position // 2, moment)


def test_sampling_probabilities_by_hand() -> None:
    # Three moments with two targets each, one of which an epoch uses: every target is
    # worth 1/2, all in all 3.
    moments = worlds.checkerboard_moments(3, seed=1)
    chances = batches.sampling_probabilities(moments, worlds.NUM_ITEMS, 1)
    expected = np.bincount(moments.target_rows, minlength=worlds.NUM_ITEMS + 1) / 6
    np.testing.assert_allclose(chances, expected, rtol=1e-6)


def test_concatenated_moments_keep_their_targets() -> None:
    first = worlds.checkerboard_moments(5, seed=1)
    second = worlds.checkerboard_moments(7, seed=2)
    both = concatenate([first, second])
    tail = both.take(np.arange(5, 12))
    np.testing.assert_array_equal(tail.target_rows, second.target_rows)
    np.testing.assert_array_equal(tail.target_offsets, second.target_offsets)
