from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from implicit.nearest_neighbours import BM25Recommender, bm25_weight

from components.evaluate_funnel import baselines

COUNTS = sp.csr_matrix(np.array([[2, 1, 0, 0], [0, 1, 1, 0], [0, 3, 0, 0]], np.float32))


def test_popularity_counts_buyers_not_purchases():
    page = baselines.pages(baselines.popularity_scorer(COUNTS), np.array([0, -1]), 3)
    # buyers: 1, 3, 1, 0; ties by catalogue order
    assert page.tolist() == [[1, 0, 2], [1, 0, 2]]


def test_ties_go_by_catalogue_order_at_the_last_place_too():
    scores = np.zeros((3, 1_000))
    scores[1, 700] = 1.0
    scores[2] = np.arange(1_000) % 2  # 500 of them tie for five places
    found = baselines.top_rows(scores, 5)
    assert found.tolist() == [[0, 1, 2, 3, 4], [700, 0, 1, 2, 3], [1, 3, 5, 7, 9]]


def test_user_frequency_puts_own_items_first_then_popular_ones():
    page = baselines.pages(
        baselines.user_frequency_scorer(COUNTS), np.array([0, 1, -1]), 4
    )
    assert page.tolist() == [[0, 1, 2, 3], [1, 2, 0, 3], [1, 0, 2, 3]]


def test_excluded_items_leave_empty_places():
    excluded = sp.csr_matrix(np.array([[1, 1, 1, 0]], np.float32))
    scorer = baselines.popularity_scorer(COUNTS)
    page = baselines.pages(scorer, np.array([0]), 3, excluded)
    assert page.tolist() == [[3, -1, -1]]


def test_bm25_and_neighbours_agree_with_implicit():
    dense = np.random.default_rng(0).poisson(0.15, (80, 30)).astype(np.float32)
    counts = sp.csr_matrix(dense)
    ours = baselines.bm25_weights(counts, k1=1.2, b=0.75)
    theirs = bm25_weight(counts.T, K1=1.2, B=0.75).T
    np.testing.assert_allclose(ours.toarray(), theirs.toarray(), rtol=1e-5)
    model = BM25Recommender(K=5, K1=1.2, B=0.75, num_threads=1)
    model.fit(counts, show_progress=False)
    scores = counts @ model.similarity
    scorer = baselines.item_knn_scorer(counts, 5)
    np.testing.assert_allclose(
        scorer(np.arange(80)), scores.toarray(), rtol=1e-4, atol=1e-4
    )
