"""Charts of what each trainer noted of its epochs, by names that a reader knows."""

from __future__ import annotations

from typing import Any

from components.report.charts import Series, line_chart
from components.report.data import Json

_METRIC = "metric"  # what a ranker's best epoch is chosen by
_RECALL = "recall"  # what the Retriever's is
# Speeds and counters say nothing of how well a fit went.
_NOT_CURVES = {
    "epoch",
    "step",
    "learning_rate",
    "seconds",
    "validation_s",
    "rows_per_s",
    "examples_per_second",
}
_SEARCH = "search, NDCG over the items that a page showed"
# A search page's candidates that it did not show take the place of owned items.
_TITLES = {
    "Retriever": {_RECALL: "Recall{k}", "search_recall": "Recall{k} of searches"},
    "Ranker": {
        "ndcg": "NDCG{k}",
        "ndcg_new": "NDCG{k} of items new to the person",
        "search": _SEARCH,
    },
    "Search ranker": {
        "ndcg": "search, NDCG{k} over all candidates",
        "ndcg_new": _SEARCH,
    },
}


def curves(trainer: str, history: Json) -> list[dict[str, Any]]:
    """Charts of one trainer's history: one per quantity, a line per trial.

    Args:
      trainer: its name in the report, such as "Ranker".
      history: content of its history.json.
    """
    runs = _runs(history)
    found: dict[str, list[Series]] = {}
    for hue, (label, epochs) in enumerate(runs):
        for name in dict.fromkeys(key for entry in epochs for key in entry):
            pairs = [
                (float(number), float(entry[name]))
                for number, entry in enumerate(epochs, 1)
                if isinstance(entry.get(name), (int, float))
            ]
            if pairs and name not in _NOT_CURVES:
                x, y = zip(*pairs, strict=True)
                found.setdefault(name, []).append(Series(label, x, y, hue))
    titles = _titles(trainer, history, found)
    return [
        {
            "title": titles[name],
            "chart": line_chart(lines, title=titles[name]),
            "legend": [label for label, _ in runs if label],
        }
        for name, lines in found.items()
        if name in titles
    ]


def _runs(history: Json) -> list[tuple[str, list[Json]]]:
    """Label and epochs of every fit."""
    runs: list[tuple[str, list[Json]]] = []
    if isinstance(history.get("epochs"), list):
        runs.append(("", history["epochs"]))
    for trial in history.get("trials", []):
        runs.append((str(trial.get("architecture", "trial")), trial.get("epochs", [])))
    if isinstance(history.get("final"), dict):
        runs.append(("final fit", history["final"].get("epochs", [])))
    return runs


def _titles(
    trainer: str, history: Json, found: dict[str, list[Series]]
) -> dict[str, str]:
    """Quantity → title, without `metric` where it repeats another quantity."""
    length = history.get("eval_k") or (history.get("config") or {}).get("top_k")
    k = f"@{length}" if length else ""
    words = _TITLES.get(trainer, {})
    titles = {n: words.get(n, n.replace("_", " ")).format(k=k) for n in found}
    decides = _RECALL if trainer == "Retriever" else _METRIC
    if decides not in titles:
        return titles
    same = [n for n in found if n != _METRIC and found[n] == found[decides]]
    if decides == _METRIC and not same:
        return titles | {_METRIC: "what decides the epoch"}
    titles.pop(_METRIC, None)
    return titles | {same[0]: f"{titles[same[0]]}: decides the epoch"}
