"""Recommenders of others, with what they need to be at their best here.

They see the events that serve them best, by how much each counts (`event_weights`, to
be chosen on an earlier period), and show what is popular where they know nothing of a
person.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
import scipy.sparse as sp

from components.evaluate_funnel import baselines
from components.evaluate_funnel.baselines import Scorer, rows_of
from components.evaluate_funnel.test_set import IntArray, TestSet
from core.config import ShopConfig
from core.features import SECONDS_PER_DAY

EASE_L2 = 300.0
TREND_DAYS, TREND_POWER = 30, 0.75


def peers(
    test_set: TestSet, shop: ShopConfig, event_weights: Mapping[str, float]
) -> dict[str, Callable[[], Scorer]]:
    """Name → function that fits the peer and returns its scorer."""
    counts = baselines.interactions(test_set, shop, event_weights)
    popular = baselines.interactions(test_set, shop)

    def filled(fit: Callable[[], Scorer]) -> Callable[[], Scorer]:
        return lambda: with_popularity(fit(), popular)

    return {
        "popularity": lambda: baselines.popularity_scorer(popular),
        "user frequency": lambda: baselines.user_frequency_scorer(counts),
        "item-kNN BM25 (implicit)": filled(lambda: implicit_bm25(counts)),
        "ALS-64 (implicit)": filled(lambda: implicit_als(counts)),
        "EASE (NumPy)": filled(lambda: ease(counts)),
        "EASE x recent trend": filled(lambda: ease(counts, trend(test_set, shop))),
    }


def weightings(shop: ShopConfig) -> dict[str, dict[str, float]]:
    """Ways to weigh a shop's events, the target event alone among them."""
    ways = {"": {shop.target_event: 1.0}}
    if len(shop.event_types) > 1:
        ways["shop's weights"] = dict(
            zip(shop.event_types, shop.event_weights, strict=True)
        )
        ways["events alike"] = dict.fromkeys(shop.event_types, 1.0)
    return ways


def with_popularity(scorer: Scorer, counts: sp.csr_matrix) -> Scorer:
    """What is popular where a scorer tells no difference, of strangers everywhere."""
    popular = baselines.popularity_scorer(counts)

    def score(users: IntArray) -> np.ndarray:
        found = np.asarray(scorer(users), np.float64)
        fill = popular(users)
        return found + 1e-6 * fill / (fill.max(initial=0.0) + 1.0)

    return score


def implicit_bm25(counts: sp.csr_matrix) -> Scorer:
    """BM25Recommender over how often each user bought each item."""
    from implicit.nearest_neighbours import BM25Recommender

    model = BM25Recommender(K=80, num_threads=1)
    model.fit(counts, show_progress=False)
    similar = model.similarity.astype(np.float32)
    return lambda users: (rows_of(counts, users) @ similar).toarray()


def implicit_als(counts: sp.csr_matrix) -> Scorer:
    """Alternating least squares, 64 factors, on BM25 weights.

    Of five settings tried this one did best (log counts .25 to .27 on Online Retail).
    """
    import threadpoolctl
    from implicit.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import bm25_weight

    model = AlternatingLeastSquares(
        factors=64, regularization=0.05, alpha=1.0, iterations=15, random_state=0
    )
    with threadpoolctl.threadpool_limits(1, "blas"):  # as implicit asks
        model.fit(bm25_weight(counts, K1=100, B=0.8).tocsr(), show_progress=False)
    people = np.vstack([model.user_factors, np.zeros((1, model.user_factors.shape[1]))])
    items = model.item_factors.T.astype(np.float32)
    return lambda users: people[users].astype(np.float32) @ items


def ease(counts: sp.csr_matrix, item_weights: np.ndarray | None = None) -> Scorer:
    """EASE (Steck, 2019) on who had what, at most 1 each; times `item_weights` [n]."""
    held = counts.copy()
    held.data = np.minimum(held.data, 1.0)
    gram = (held.T @ held).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += EASE_L2
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    weights[np.diag_indices_from(weights)] = 0.0
    if item_weights is not None:
        weights *= item_weights
    dense = weights.astype(np.float32)
    return lambda users: np.asarray(rows_of(held, users) @ dense, np.float32)


def trend(test_set: TestSet, shop: ShopConfig) -> np.ndarray:
    """[n] ((buyers of the last 30 days + 1) / (buyers ever + 10)) ** .75."""
    past = test_set.past[test_set.past["event"] == shop.target_event]
    since = test_set.cutoff - TREND_DAYS * SECONDS_PER_DAY

    def buyers(rows: np.ndarray, users: np.ndarray) -> np.ndarray:
        pairs = np.unique(users * test_set.num_items + rows)
        return np.bincount(pairs % test_set.num_items, minlength=test_set.num_items)

    rows, users = past["row"].to_numpy(), past["user"].to_numpy()
    new = (past["timestamp"] >= since).to_numpy()
    share = (buyers(rows[new], users[new]) + 1.0) / (buyers(rows, users) + 10.0)
    return np.asarray(share**TREND_POWER)


def timed(fit: Callable[[], Scorer]) -> tuple[Scorer, float]:
    """The fitted scorer and the seconds that fitting took."""
    start = time.perf_counter()
    scorer = fit()
    return scorer, time.perf_counter() - start


def world_scorer(
    preference: Callable[[list[str], int], np.ndarray],
    user_ids: list[str],
    codes: IntArray,
    at: int,
) -> Scorer:
    """Scorer of a simulated shop's true preferences, by user code."""
    name_of = dict(zip(codes.tolist(), user_ids, strict=True))

    def score(users: IntArray) -> np.ndarray:
        names = [name_of[int(code)] for code in users]
        return np.asarray(preference(names, at), np.float32)

    return score
