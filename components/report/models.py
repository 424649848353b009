"""What the report says of single models: the text encoder, the two rankers."""

from __future__ import annotations

from typing import Any

from components.report.data import Json

_WORDS = {
    "scratch": "from scratch",
    "frozen": "pretrained, left as it is",
    "full": "pretrained, all of it fine-tuned",
    "lora": "pretrained, low-rank adapters fine-tuned",
}


def text_encoder(report: Json | None, table: Json | None) -> dict[str, Any] | None:
    """Facts of the run's encoder, and the comparison of several; None without one.

    Args:
      report: content of TextEncoder's text_encoder.json.
      table: what `bench_text_encoder --home` wrote, if it was run for this shop.
    """
    if report is None:
        return None
    count, pairs = report["parameters"], report["pairs"]
    facts = {
        "how": _WORDS[report["mode"]],
        "parameters that training changes": f"{count['trainable']:,}",
        "parameters in all": f"{count['total']:,}",
        **_layers(report.get("layers")),
        "word pieces": f"{report['vocabulary_size']:,}",
        "numbers of a vector": f"{report['output_dim']:,}",
        "pairs of query and item": f"{pairs['query_items']:,}",
        "pairs of items bought together": f"{pairs['item_items']:,}",
    }
    for phase, words in (("pretrain", "hidden words"), ("contrastive", "pairs")):
        losses = (report.get(phase) or {}).get("losses")
        if losses:
            name = f"loss over {words}, first and last epoch"
            facts[name] = f"{losses[0]:.3f}, {losses[-1]:.3f}"
    return {"facts": facts, "table": _comparison(table)}


def retriever(histories: dict[str, Json]) -> dict[str, str] | None:
    """Trained numbers of each part of the two towers; None without a Retriever."""
    counts = (histories.get("Retriever") or {}).get("parameters")
    if not counts:
        return None
    facts = {f"parameters, {name}": f"{count:,}" for name, count in counts.items()}
    return facts | {"parameters in all": f"{sum(counts.values()):,}"}


def _layers(layers: Json | None) -> dict[str, str]:
    """Which layers of a preset are left; nothing where all are."""
    if not layers or "importances" not in layers:
        return {}
    found = ", ".join(
        f"{number + 1} ({value:.3f})" + ("" if number in layers["kept"] else " dropped")
        for number, value in enumerate(layers["importances"])
    )
    return {"layers, by how much they turn the vectors": found}


def rankers(histories: dict[str, Json]) -> dict[str, Any] | None:
    """How the rankers were trained, and each one's validation figures; None without.

    Args:
      histories: history.json by trainer; a joint ranker has no "Search ranker" beside.
    """
    ranker = histories.get("Ranker")
    if not ranker or not ranker.get("validation"):
        return None
    found = ranker["validation"]
    top_k = ranker["config"]["top_k"]
    rows = [
        (f"recommendation, NDCG@{top_k}", found["ndcg"]),
        (f"recommendation, NDCG@{top_k} of items new to the person", found["ndcg_new"]),
    ]
    pages = histories.get("Search ranker", ranker)
    if "first_stage" in pages:
        after = pages["validation"].get("search", pages["validation"].get("metric"))
        rows.append(("search, NDCG over the items that a page showed", after))
        rows.append(("the same in the first stage's order", pages["first_stage"]))
    jointly = ranker.get("jointly", False)
    words = "one, trained on both kinds" if jointly else "two, each trained apart"
    return {"how": words, "rows": [(name, f"{value:.4f}") for name, value in rows]}


def _comparison(table: Json | None) -> dict[str, Any] | None:
    """Heads and rows of the comparison, best score of each column marked."""
    if not table or not table["rows"]:
        return None
    names = list(table["rows"][0]["scores"])
    best = {n: max(row["scores"][n] for row in table["rows"]) for n in names}
    return {
        "title": table["title"],
        "scores": names,
        "rows": [
            {
                "name": row["name"],
                "trainable": f"{row['trainable']:,}",
                "total": f"{row['total']:,}",
                "seconds": f"{row['cpu_seconds']:,.0f}",
                "ms": f"{row['ms']:.1f}",
                "scores": [
                    {
                        "text": f"{row['scores'][n]:.3f}",
                        "strong": row["scores"][n] == best[n],
                    }
                    for n in names
                ],
            }
            for row in table["rows"]
        ],
    }
