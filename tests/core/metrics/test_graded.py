"""Graded search metrics against ir-measures and hand calculations."""

from __future__ import annotations

import ir_measures
import numpy as np
import pytest
from ir_measures import RR, Judged, R, nDCG

from core.metrics import (
    Grades,
    condensed,
    grade_matrix,
    graded_ndcg,
    judged_share,
    search_metrics,
)

SEARCHES, ITEMS, LENGTH = 30, 80, 25


def world(seed: int) -> tuple[Grades, dict[tuple[int, int], int], np.ndarray]:
    generator = np.random.default_rng(seed)
    judged = {
        (m, int(item)): int(generator.integers(0, 4))
        for m in range(SEARCHES)
        for item in generator.choice(ITEMS, generator.integers(4, 40), replace=False)
    }
    for m in range(SEARCHES):  # ir-measures leaves searches without a grade out
        judged[m, 7] = 3
    pages = np.stack([generator.permutation(ITEMS)[:LENGTH] for _ in range(SEARCHES)])
    pairs = np.array(list(judged))
    grades = Grades.from_pairs(
        pairs[:, 0], pairs[:, 1], list(judged.values()), SEARCHES, ITEMS
    )
    return grades, judged, pages


def by_ir_measures(measure, judged, pages) -> np.ndarray:
    qrels = [ir_measures.Qrel(f"q{m}", f"d{i}", g) for (m, i), g in judged.items()]
    run = [
        ir_measures.ScoredDoc(f"q{m}", f"d{i}", 1000.0 - place)
        for m, page in enumerate(pages)
        for place, i in enumerate(page)
    ]
    found = {m.query_id: m.value for m in ir_measures.iter_calc([measure], qrels, run)}
    return np.array([found[f"q{m}"] for m in range(len(pages))])


EXPONENTIAL = {0: 0, 1: 1, 2: 3, 3: 7}  # 2^g - 1


@pytest.mark.parametrize("k", [1, 5, 10, 25])
@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("ndcg", lambda k: nDCG @ k),
        ("ndcg_exp", lambda k: nDCG(gains=EXPONENTIAL) @ k),
        ("ndcg_judged", lambda k: nDCG(judged_only=True) @ k),
        ("judged", lambda k: Judged @ k),
        ("mrr", lambda k: RR @ k),
        ("recall", lambda k: R @ k),
    ],
)
def test_metrics_agree_with_ir_measures(name, theirs, k):
    grades, judged, pages = world(seed=k)

    found = search_metrics(pages, grades, (k,))[f"{name}@{k}"]

    expected = by_ir_measures(theirs(k), judged, pages)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert 0 < found.mean() < 1


def test_higher_bar_for_relevance_agrees_with_ir_measures():
    grades, judged, pages = world(seed=2)

    found = search_metrics(pages, grades, (10,), min_value=3.0)

    for name, measure in (("mrr", RR(rel=3) @ 10), ("recall", R(rel=3) @ 10)):
        expected = by_ir_measures(measure, judged, pages)
        np.testing.assert_allclose(found[f"{name}@10"], expected, atol=1e-9)


def test_values_may_be_fractions():
    grades = Grades.from_pairs([0, 0, 0], [4, 1, 2], [0.5, 0.2, 0.1], 1, 9)
    # DCG = .2 / 1 + .5 / log2 3 = .515465; ideal .5 + .2 / log2 3 = .626186
    assert graded_ndcg([[1, 4]], grades, 2)[0] == pytest.approx(0.515465 / 0.626186)


def test_repeats_and_empty_places_are_not_judged():
    grades = Grades.from_pairs([1, 0, 0], [2, 5, 6], [2, 3, 0], 2, 8)

    found = grade_matrix([[5, 5, 6, 9], [-1, 2, 5, 2]], grades)

    none = np.nan
    np.testing.assert_array_equal(found, [[3, none, 0, none], [none, 2, none, none]])


def test_condensed_pages_close_the_gaps():
    grades = Grades.from_pairs([0, 0, 1], [3, 1, 0], [0, 2, 1], 2, 6)

    pages = condensed([[5, 3, 4, 1], [2, 3, 4, 5]], grades)

    assert pages.tolist() == [[3, 1, -1, -1], [-1, -1, -1, -1]]


def test_first_of_two_grades_stands():
    grades = Grades.from_pairs([0, 0], [3, 3], [1, 2], 1, 6)

    assert grades.values.tolist() == [1.0]


def test_short_pages_and_searches_without_grades_score_zero():
    grades = Grades.from_pairs([0], [3], [2], 2, 6)

    assert graded_ndcg([[3], [3]], grades, 10).tolist() == [1.0, 0.0]
    assert judged_share([[3], [3]], grades, 10).tolist() == [0.1, 0.0]
    assert grades.num_relevant.tolist() == [1, 0]
    nothing = Grades.from_pairs([], [], [], 2, 6)
    assert not np.isfinite(grade_matrix([[3], [3]], nothing)).any()
    assert graded_ndcg([[3], [3]], nothing, 10).tolist() == [0.0, 0.0]


def test_pages_of_another_number_are_refused():
    grades = Grades.from_pairs([0], [3], [2], 2, 6)

    with pytest.raises(ValueError, match=r"\[2, k\]"):
        grade_matrix([[3]], grades)


def test_rows_of_no_item_are_refused():
    with pytest.raises(ValueError, match=r"Catalogue rows .* Received: -1"):
        Grades.from_pairs([1], [-1], [2.0], num_searches=2, num_items=4)
