"""Turns search_metrics.json into what template search.html prints."""

from __future__ import annotations

from typing import Any

from components.report.charts import interval_chart
from components.report.data import Json
from components.report.intervals import known, point
from components.report.words import (
    METRIC_NAMES,
    QUERY_CLASS_MEANINGS,
    QUERY_CLASS_NAMES,
    SEARCH_MEANINGS,
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
        "meanings": [
            *((METRIC_NAMES[m], SEARCH_MEANINGS[m]) for m in _METRICS),
            *QUERY_CLASS_MEANINGS.items(),
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
    systems, count = entry["systems"], entry["num_searches"]
    held = [m for m in _METRICS if f"{m}@{k}" in systems[BUNDLE]]
    rows = [
        {
            "name": SYSTEM_NAMES.get(system, system),
            "strong": system == BUNDLE,
            "cells": [known(found[f"{m}@{k}"], count) for m in held],
            "empty": found["empty_page_rate"]["value"],
            "difference": known(
                entry["differences"].get(system, {}).get(metric), count
            ),
        }
        for system, found in systems.items()
    ]
    others = [system for system in systems if system != BUNDLE]
    points = []
    for each in [{"class": "all", **entry}, *entry["classes"]]:
        of, size = each["systems"], each["num_searches"]
        label = f"{QUERY_CLASS_NAMES[each['class']]} ({size:,})"
        ours = point(label, of[BUNDLE][metric], size, strong=True)
        points.append([ours, *(point("", of[s][metric], size) for s in others)])
    return {
        "title": TRUTH_NAMES.get(name, name),
        "num_searches": count,
        "metrics": [METRIC_NAMES[m] for m in held],
        "rows": rows,
        "chart": interval_chart(points),
        "others": [SYSTEM_NAMES.get(s, s) for s in others],
        "systems": [SYSTEM_NAMES.get(s, s) for s in systems],
        "classes": [
            {
                "name": QUERY_CLASS_NAMES[c["class"]],
                "num_searches": c["num_searches"],
                "cells": [
                    known(c["systems"][s][metric], c["num_searches"]) for s in systems
                ],
                "differences": [
                    known(c["differences"][s][metric], c["num_searches"])
                    for s in others
                ],
            }
            for c in entry["classes"]
        ],
    }
