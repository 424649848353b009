"""Propensities against worlds whose position bias is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from core.errors import ArtifactError
from shops import registry
from tests.trainer.search.biased_log import BiasedLog, ranked_log
from trainer.search.analyzer import Analyzer
from trainer.search.position_bias import Propensities, estimate_propensities
from trainer.search.query_log import impressions_before, query_log

FloatArray = npt.NDArray[np.float64]


def _estimate(log: BiasedLog) -> FloatArray:
    found = estimate_propensities(
        log.queries.ravel(),
        log.items.ravel(),
        log.positions.ravel(),
        log.clicked.ravel(),
    )
    return found.values


def _worst(values: FloatArray, truth: FloatArray) -> float:
    """Largest relative error of any slot."""
    return float(np.abs(values / truth - 1.0).max())


def test_the_simulated_shop_s_position_bias_is_found() -> None:
    shop = registry.load("demo")
    assert shop.world is not None
    log = query_log(shop.tables.items, shop.tables.events, shop.config, Analyzer())
    shown = impressions_before(log, 2**40, page_gap_s=1_800)
    found = estimate_propensities(
        shown.queries, shown.rows, shown.positions, shown.clicked
    )
    # 6,492 clicks tell, 531 in the last slot: a standard error of 5 % there.
    assert _worst(found.values, shop.world.position_bias) < 0.10


def test_a_ranking_by_attractiveness_is_not_taken_for_position_bias() -> None:
    rng = np.random.default_rng(0)
    attract = rng.beta(1.5, 3.0, (60, 15))
    examine = (1.0 + np.arange(8)) ** -0.9
    log = ranked_log(rng, attract, attract, examine, 20_000, noise=0.15)
    worth = attract[log.queries, log.items]
    assert np.corrcoef(worth.ravel(), log.positions.ravel())[0, 1] < -0.5
    rates = log.clicked.mean(axis=0)
    assert _worst(rates / rates[0], examine) > 0.4
    assert _worst(_estimate(log), examine) < 0.08


def test_pairs_that_are_seen_four_times_each_are_enough() -> None:
    rng = np.random.default_rng(1)
    attract = rng.beta(1.5, 3.0, 20_000)
    examine = (1.0 + np.arange(6)) ** -0.6
    items = np.repeat(np.arange(20_000), 4)
    slots = 6 * (1 - attract[items]) + 1.5 * rng.normal(size=len(items))
    positions = np.clip(slots.astype(np.int64), 0, 5)
    clicked = rng.random(len(items)) < examine[positions] * attract[items]
    rates = np.bincount(positions, weights=clicked) / np.bincount(positions)
    assert _worst(rates / rates[0], examine) > 0.5
    found = estimate_propensities(np.zeros_like(items), items, positions, clicked)
    assert _worst(found.values, examine) < 0.08


def test_a_slot_with_few_clicks_is_drawn_to_the_power_law() -> None:
    rng = np.random.default_rng(2)
    examine = (1.0 + np.arange(6)) ** -1.0
    items = rng.integers(0, 20, 60_000)
    positions = rng.integers(0, 5, 60_000)
    clicked = rng.random(60_000) < 0.5 * examine[positions]
    # Slot 5 was shown twice, and clicked both times.
    found = estimate_propensities(
        np.zeros(60_002, np.int64),
        np.append(items, [0, 1]),
        np.append(positions, [5, 5]),
        np.append(clicked, [True, True]),
    )
    np.testing.assert_array_equal(found.counts[5], 2)
    assert abs(found.values[5] / examine[5] - 1) < 0.25  # alone it would say 12 times


@pytest.mark.parametrize(
    ("positions", "clicked"),
    [
        ([0, 1, 2, 0, 1, 2], [False] * 6),  # no clicks
        ([0] * 6, [True, False] * 3),  # one slot
        ([-1] * 6, [True, False] * 3),  # no slot known
        ([], []),
    ],
)
def test_a_log_that_does_not_tell_gives_no_bias(
    positions: list[int], clicked: list[bool]
) -> None:
    slots = np.array(positions, np.int64)
    pairs = np.zeros_like(slots)
    found = estimate_propensities(pairs, pairs, slots, np.array(clicked, bool))
    np.testing.assert_allclose(found.values, 1.0)
    assert len(found.values) == max(1, slots.max(initial=0) + 1)


def test_slots_beyond_the_last_share_its_value_and_unknown_ones_weigh_one() -> None:
    found = Propensities(np.array([1.0, 0.5, 0.02]), np.array([9, 5, 1]))
    slots = np.array([[0, 1], [7, -1]])
    np.testing.assert_allclose(found.at(slots), [[1.0, 0.5], [0.02, 1.0]])
    np.testing.assert_allclose(found.weights(slots), [[1.0, 2.0], [10.0, 1.0]])


def test_propensities_survive_a_file(tmp_path: Path) -> None:
    found = Propensities(np.array([1.0, 1 / 3]), np.array([9, 5]))
    found.save(tmp_path)
    again = Propensities.load(tmp_path)
    np.testing.assert_array_equal(again.values, found.values)
    np.testing.assert_array_equal(again.counts, found.counts)
    with pytest.raises(ArtifactError, match="readable"):
        Propensities.load(tmp_path / "nowhere")


def _listwise(features: FloatArray, relevance: FloatArray) -> FloatArray:
    """Weights of a linear listwise softmax, by 200 steps of gradient ascent."""
    weights = np.zeros(features.shape[2])
    for _ in range(200):
        scores = np.exp(features @ weights)
        chance = scores / scores.sum(axis=1, keepdims=True)
        error = relevance - relevance.sum(axis=1, keepdims=True) * chance
        weights += np.einsum("sl,slf->f", error, features) / relevance.sum()
    return weights


def test_clicks_weighted_by_inverse_propensity_teach_the_true_order() -> None:
    rng = np.random.default_rng(0)
    truth = np.array([1.0, -0.7, 0.5, 0.0])  # the last feature is worth nothing
    items = rng.normal(size=(300, 4))
    attract = 1 / (1 + np.exp(1 - items @ truth))
    examine = 1.0 / (1.0 + np.arange(8))
    # The logging ranker sorts random items by the feature that is worth nothing.
    shown = np.argsort(rng.random((4_000, 300)), axis=1)[:, :8]
    noisy = items[shown, 3] + 0.3 * rng.normal(size=shown.shape)
    shown = np.take_along_axis(shown, np.argsort(-noisy, axis=1), axis=1)
    clicked = rng.random(shown.shape) < examine * attract[shown]
    positions = np.broadcast_to(np.arange(8), shown.shape)
    found = estimate_propensities(
        np.zeros(shown.size, np.int64),
        shown.ravel(),
        positions.ravel(),
        clicked.ravel(),
    )
    held_out = rng.normal(size=(2_000, 4))
    taus = {
        name: stats.kendalltau(held_out @ learned, held_out @ truth).statistic
        for name, learned in (
            ("raw", _listwise(items[shown], clicked.astype(float))),
            ("ips", _listwise(items[shown], clicked * found.weights(positions))),
        )
    }
    assert taus["raw"] < 0.6
    assert taus["ips"] > 0.9


def test_pairs_that_always_stood_in_one_slot_tell_nothing():
    # A fixed ranking by attractiveness: click rates fall, nobody knows why.
    slots = np.repeat(np.arange(5), 1_000)
    rate = np.array([0.5, 0.4, 0.3, 0.2, 0.1])[slots]
    clicked = np.tile(np.arange(1_000), 5) < 1_000 * rate
    found = estimate_propensities(np.zeros_like(slots), slots, slots, clicked)
    np.testing.assert_allclose(found.values, 1.0)
