"""What the report says of the text encoder and the rankers."""

from __future__ import annotations

from typing import Any

from components.report.data import ReportData
from components.report.models import rankers, text_encoder
from components.report.write import render

ENCODER = {
    "mode": "lora",
    "vocabulary_size": 30_522,
    "output_dim": 384,
    "pairs": {"queries": 5, "query_items": 7_871, "item_items": 12},
    "parameters": {"total": 22_565_376, "trainable": 446_976},
    "contrastive": {"losses": [2.5, 1.25]},
}


def row(name: str, trainable: int, ndcg: float) -> dict[str, Any]:
    return {
        "name": name,
        "trainable": trainable,
        "total": 22_565_376,
        "seconds": 1.0,
        "cpu_seconds": 53.4,
        "ms": 2.26,
        "scores": {"NDCG@10": ndcg},
    }


TABLE = {"title": "demo: 500 asked", "rows": [row("<scratch>", 9, 0.9), row("b", 0, 1)]}


def history(**validation: float) -> dict[str, Any]:
    return {"config": {"top_k": 20}, "validation": validation}


def test_the_page_counts_the_encoder_s_parameters_and_compares() -> None:
    page = render(
        ReportData(shop="s", created=0, text_encoder=ENCODER, text_encoder_table=TABLE)
    )
    for said in ("446,976", "22,565,376", "low-rank adapters", "2.500, 1.250"):
        assert said in page
    assert "demo: 500 asked" in page and "&lt;scratch&gt;" in page
    assert "<b>1.000</b>" in page and "<b>0.900</b>" not in page


def test_the_page_counts_the_towers_parameters() -> None:
    counts = {"items and histories": 1_200_000, "query tower": 34_567}
    page = render(
        ReportData(
            shop="s",
            created=0,
            histories={"Retriever": {"parameters": counts, "epochs": []}},
        )
    )
    for said in ("1,200,000", "34,567", "1,234,567", "share their tables"):
        assert said in page


def test_without_the_benchmark_there_is_no_comparison() -> None:
    for table in (None, {"title": "t", "rows": []}):
        found = text_encoder(ENCODER, table)
        assert found is not None and found["table"] is None
    assert text_encoder(None, TABLE) is None


def test_rankers_trained_apart_have_a_history_each() -> None:
    found = rankers(
        {
            "Ranker": history(ndcg=0.4, ndcg_new=0.15),
            "Search ranker": {**history(metric=0.7, ndcg=0.1), "first_stage": 0.65},
        }
    )
    assert found is not None and found["how"].startswith("two")
    assert [value for _, value in found["rows"]] == [
        "0.4000",
        "0.1500",
        "0.7000",
        "0.6500",
    ]


def test_a_joint_ranker_s_history_tells_both() -> None:
    joint = history(ndcg=0.4, ndcg_new=0.15, search=0.69, metric=0.5)
    found = rankers({"Ranker": {**joint, "jointly": True, "first_stage": 0.65}})
    assert found is not None and found["how"].startswith("one")
    assert [value for _, value in found["rows"]][2:] == ["0.6900", "0.6500"]
    page = render(ReportData(shop="s", created=0, histories={"Ranker": joint}))
    assert "each trained apart" in page


def test_a_shop_without_rankers_or_validation_shows_none() -> None:
    assert rankers({}) is None
    assert rankers({"Ranker": {"validation": {}}}) is None
