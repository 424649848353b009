"""Turns search_metrics.json into what template search.html prints."""

from __future__ import annotations

from typing import Any

from components.report.charts import Point, interval_chart
from components.report.data import Json
from components.report.words import (
    METRIC_NAMES,
    QUERY_CLASS_NAMES,
    SYSTEM_NAMES,
    TRUTH_NAMES,
    metric_label,
)

BUNDLE = "bundle"
_PARTS = ("judged", "logged")
_METRICS = ("ndcg", "ndcg_judged", "judged", "mrr", "recall", "coverage")


def search(metrics: Json | None) -> dict[str, Any] | None:
    """Tables per truth, why a part is missing, and example pages; None for no search.

    Args:
      metrics: content of search_metrics.json.
    """
    if metrics is None:
        return None
    return {
        "metric": metric_label(metrics["primary_metric"]),
        "k": metrics["primary_metric"].partition("@")[2],
        "confidence": metrics["confidence"],
        "page_length": metrics["page_length"],
        "truths": [
            _truth(name, entry, metrics["primary_metric"])
            for part in _PARTS
            for name, entry in (metrics[part] or {}).items()
            if entry["num_searches"]
        ],
        "absent": list(metrics["absent"].values()),
        "examples": [
            {**e, "classes": [QUERY_CLASS_NAMES[c] for c in e["classes"]]}
            for e in metrics["example_pages"]
        ],
    }


def _truth(name: str, entry: Json, metric: str) -> dict[str, Any]:
    """One truth's chart by class of query, table of systems and table of classes."""
    k = metric.partition("@")[2]
    systems = entry["systems"]
    held = [m for m in _METRICS if f"{m}@{k}" in systems[BUNDLE]]
    rows = [
        {
            "name": SYSTEM_NAMES.get(system, system),
            "strong": system == BUNDLE,
            "cells": [found[f"{m}@{k}"] for m in held],
            "empty": found["empty_page_rate"]["value"],
            "difference": entry["differences"].get(system, {}).get(metric),
        }
        for system, found in systems.items()
    ]
    others = [system for system in systems if system != BUNDLE]
    points = []
    for each in [{"class": "all", **entry}, *entry["classes"]]:
        label = f"{QUERY_CLASS_NAMES[each['class']]} ({each['num_searches']:,})"
        ours = Point(label, **each["systems"][BUNDLE][metric], strong=True)
        points.append(
            [ours, *(Point("", **each["systems"][s][metric]) for s in others)]
        )
    return {
        "title": TRUTH_NAMES.get(name, name),
        "num_searches": entry["num_searches"],
        "metrics": [METRIC_NAMES[m] for m in held],
        "rows": rows,
        "chart": interval_chart(points),
        "others": [SYSTEM_NAMES.get(s, s) for s in others],
        "systems": [SYSTEM_NAMES.get(s, s) for s in systems],
        "classes": [
            {
                "name": QUERY_CLASS_NAMES[c["class"]],
                "num_searches": c["num_searches"],
                "cells": [c["systems"][s][metric] for s in systems],
                "differences": [c["differences"][s][metric] for s in others],
            }
            for c in entry["classes"]
        ],
    }
