"""Training charts by what a trainer's history.json holds, as the trainers write it."""

from __future__ import annotations

from typing import Any

from components.report.curves import curves

SPEEDS = {
    "epoch": 1.0,
    "seconds": 6.0,
    "rows_per_s": 17.0,
    "examples_per_second": 8.0,
    "validation_s": 0.3,
}


def _ranker(metric: float, **validation: float) -> dict[str, Any]:
    epoch = {"loss": 4.0, "ndcg": 0.2, "ndcg_new": 0.7, "metric": metric, **validation}
    return {
        "config": {"top_k": 10},
        "trials": [{"architecture": "mlp", "epochs": [SPEEDS | epoch]}],
        "final": {"epochs": [SPEEDS | {"loss": 3.0}]},
    }


def _titles(trainer: str, history: dict[str, Any]) -> list[str]:
    return [entry["title"] for entry in curves(trainer, history)]


def test_speeds_are_no_curves_and_the_mixture_decides() -> None:
    found = curves("Ranker", _ranker(0.45))
    assert [entry["title"] for entry in found] == [
        "loss",
        "NDCG@10",
        "NDCG@10 of items new to the person",
        "what decides the epoch",
    ]
    assert found[0]["legend"] == ["mlp", "final fit"]
    assert found[0]["chart"].count("<polyline") == 2


def test_search_is_judged_on_the_items_that_a_page_showed() -> None:
    # choice_new = 1: `metric` repeats `ndcg_new`, one chart of it is enough.
    assert _titles("Search ranker", _ranker(0.7)) == [
        "loss",
        "search, NDCG@10 over all candidates",
        "search, NDCG over the items that a page showed: decides the epoch",
    ]


def test_a_joint_ranker_shows_the_pages_value_too() -> None:
    titles = _titles("Ranker", _ranker(0.5, search=0.6))
    assert "search, NDCG over the items that a page showed" in titles
    assert titles.count("what decides the epoch") == 1


def test_recall_decides_the_retriever_s_epoch() -> None:
    epoch = SPEEDS | {"loss": 5.0, "recall": 0.4, "search_recall": 0.8}
    assert _titles("Retriever", {"epochs": [epoch], "eval_k": 100}) == [
        "loss",
        "Recall@100: decides the epoch",
        "Recall@100 of searches",
    ]
    assert _titles("Retriever", {"epochs": [SPEEDS | {"loss": 5.0}]}) == ["loss"]
