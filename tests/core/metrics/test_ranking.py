"""Ranking metrics against hand calculations and ir-measures."""

from __future__ import annotations

import ir_measures
import numpy as np
import pytest
from ir_measures import AP, RR, P, R, Success, nDCG

from core.metrics import (
    Truth,
    average_precision,
    f1,
    hit_matrix,
    hit_rate,
    ndcg,
    precision,
    ranking_metrics,
    recall,
    reciprocal_rank,
)


def _world(seed: int, moments: int = 40, items: int = 60, k: int = 20):
    generator = np.random.default_rng(seed)
    truth = [
        generator.choice(items, generator.integers(1, 35), replace=False)
        for _ in range(moments)
    ]
    pages = np.stack([generator.permutation(items)[:k] for _ in range(moments)])
    return Truth.from_lists(truth, items), truth, pages


def _ir_measures(measure, truth, pages):
    qrels = [
        ir_measures.Qrel(f"q{m}", f"d{i}", 1) for m, t in enumerate(truth) for i in t
    ]
    run = [
        ir_measures.ScoredDoc(f"q{m}", f"d{i}", 1000.0 - place)
        for m, page in enumerate(pages)
        for place, i in enumerate(page)
    ]
    found = {m.query_id: m.value for m in ir_measures.iter_calc([measure], qrels, run)}
    return np.array([found[f"q{m}"] for m in range(len(pages))])


@pytest.mark.parametrize("k", [1, 5, 20])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (ndcg, lambda k: nDCG @ k),
        (lambda h, s, k: recall(h, s, k, capped=False), lambda k: R @ k),
        (precision, lambda k: P @ k),
        (reciprocal_rank, lambda k: RR @ k),
        (hit_rate, lambda k: Success @ k),
    ],
)
def test_metrics_agree_with_ir_measures(ours, theirs, k):
    truth, lists, pages = _world(seed=k)
    expected = _ir_measures(theirs(k), lists, pages)
    found = ours(hit_matrix(pages, truth), truth.sizes, k)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_average_precision_agrees_with_ir_measures_where_nothing_is_capped():
    generator = np.random.default_rng(3)
    lists = [generator.choice(30, 4, replace=False) for _ in range(20)]
    pages = np.stack([generator.permutation(30)[:20] for _ in range(20)])
    truth = Truth.from_lists(lists, 30)
    found = average_precision(hit_matrix(pages, truth), truth.sizes, 20)
    np.testing.assert_allclose(found, _ir_measures(AP @ 20, lists, pages), atol=1e-9)


def test_hand_calculation():
    # page 7 3 9 1, relevant 3 and 1 (and 5, never shown): hits at places 2 and 4.
    truth = Truth.from_lists([[3, 1, 5]], 10)
    hits = hit_matrix([[7, 3, 9, 1]], truth)
    # DCG = 1/log2(3) + 1/log2(5) = .63093 + .43068; ideal = 1 + .63093 + .5
    assert ndcg(hits, truth.sizes, 4)[0] == pytest.approx(1.06161 / 2.13093, abs=1e-5)
    assert recall(hits, truth.sizes, 4)[0] == pytest.approx(2 / 3)
    assert recall(hits, truth.sizes, 2)[0] == pytest.approx(1 / 2)  # min(3, 2)
    assert f1(hits, truth.sizes, 4)[0] == pytest.approx(4 / 7)  # P 1/2, R 2/3
    assert reciprocal_rank(hits, truth.sizes, 4)[0] == 0.5
    assert average_precision(hits, truth.sizes, 4)[0] == pytest.approx(
        (1 / 2 + 2 / 4) / 3
    )


def test_full_page_of_hits_scores_one_when_truth_is_longer_than_the_page():
    truth = Truth.from_lists([range(50)], 100)
    hits = hit_matrix([list(range(20))], truth)
    assert ndcg(hits, truth.sizes, 20)[0] == pytest.approx(1.0)
    assert recall(hits, truth.sizes, 20)[0] == 1.0


def test_empty_places_and_repeats_never_hit():
    truth = Truth.from_lists([[0, 2]], 3)
    hits = hit_matrix([[2, 2, -1, 3, 0]], truth)
    assert hits.tolist() == [[True, False, False, False, True]]


def test_short_pages_and_empty_truth_score_zero():
    truth = Truth.from_lists([[], [1]], 5)
    hits = hit_matrix([[1], [1]], truth)
    values = ranking_metrics(hits, truth.sizes, [10])
    assert values["ndcg@10"].tolist() == [0.0, 1.0]
    assert values["precision@10"].tolist() == [0.0, 0.1]
    assert set(values) == {
        f"{m}@10"
        for m in ("ndcg", "recall", "precision", "f1", "mrr", "hit_rate", "map")
    }


def test_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"\[2, k\]"):
        hit_matrix([[1, 2]], Truth.from_lists([[0], [1]], 5))
