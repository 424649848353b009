"""Prints how far estimates of the position bias are from the known truth.

python -m benchmarks.bench_position_bias
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shops.simulated import simulate
from trainer.search.analyzer import Analyzer
from trainer.search.position_bias import estimate_propensities
from trainer.search.query_log import impressions_before, query_log

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
SEEDS = (0, 1, 2)
EM_ROUNDS = 500


def click_rates(positions: IntArray, clicked: BoolArray) -> FloatArray:
    """[L] click rate of each slot, relative to the first."""
    rates = np.bincount(positions, weights=clicked) / np.bincount(positions)
    return np.asarray(rates / rates[0])


def em(pairs: IntArray, positions: IntArray, clicked: BoolArray) -> FloatArray:
    """[L] expectation maximization with one attractiveness per pair (Wang, 2018)."""
    _, pairs = np.unique(pairs, return_inverse=True)
    examine = np.full(positions.max() + 1, 0.5)
    attract = np.full(pairs.max() + 1, 0.5)
    for _ in range(EM_ROUNDS):
        seen, liked = examine[positions], attract[pairs]
        neither = np.maximum(1 - seen * liked, 1e-12)
        looked = np.where(clicked, 1.0, seen * (1 - liked) / neither)
        wanted = np.where(clicked, 1.0, liked * (1 - seen) / neither)
        examine = np.bincount(positions, weights=looked) / np.bincount(positions)
        attract = np.bincount(pairs, weights=wanted) / np.bincount(pairs)
    return np.asarray(examine / examine[0])


def report(
    name: str,
    pairs: IntArray,
    positions: IntArray,
    clicked: BoolArray,
    truth: FloatArray,
) -> None:
    found = estimate_propensities(np.zeros_like(pairs), pairs, positions, clicked)
    errors = {
        "click rates": click_rates(positions, clicked),
        "EM": em(pairs, positions, clicked),
        "souk": found.values,
    }
    worst = "  ".join(
        f"{key} {np.abs(values / truth - 1).max():.3f}"
        for key, values in errors.items()
    )
    print(f"{name:36} {len(pairs):>7,} impressions  largest error: {worst}")


def simulated(seed: int) -> None:
    shop = simulate("demo", seed=seed)
    assert shop.world is not None
    log = query_log(shop.tables.items, shop.tables.events, shop.config, Analyzer())
    shown = impressions_before(log, 2**40, page_gap_s=1_800)
    pairs = shown.queries * log.num_items + shown.rows
    truth = shop.world.position_bias
    report(f"demo, seed {seed}", pairs, shown.positions, shown.clicked, truth)


def sparse(seed: int) -> None:
    """Many pairs, each seen four times, better ones in better slots."""
    rng = np.random.default_rng(seed)
    truth = (1.0 + np.arange(6)) ** -0.6
    attract = rng.beta(1.5, 3.0, 20_000)
    pairs = np.repeat(np.arange(20_000), 4)
    slots = 6 * (1 - attract[pairs]) + 1.5 * rng.normal(size=len(pairs))
    positions = np.clip(slots.astype(np.int64), 0, 5)
    clicked = rng.random(len(pairs)) < truth[positions] * attract[pairs]
    report(f"pairs seen four times, seed {seed}", pairs, positions, clicked, truth)


def ranked(seed: int) -> None:
    """Pages of eight out of a query's fifteen items, ranked by attractiveness."""
    rng = np.random.default_rng(seed)
    truth = (1.0 + np.arange(8)) ** -0.9
    attract = rng.beta(1.5, 3.0, (60, 15))
    queries = rng.integers(0, 60, 20_000)
    noisy = attract[queries] + 0.15 * rng.normal(size=(20_000, 15))
    items = np.argsort(-noisy, axis=1)[:, :8]
    worth = np.take_along_axis(attract[queries], items, axis=1)
    clicked = rng.random(items.shape) < truth * worth
    pairs = (queries[:, None] * 15 + items).ravel()
    positions = np.tile(np.arange(8), 20_000)
    report(f"ranked by worth, seed {seed}", pairs, positions, clicked.ravel(), truth)


if __name__ == "__main__":
    for measure in (simulated, ranked, sparse):
        for each in SEEDS:
            measure(each)
