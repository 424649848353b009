"""Page quality: the bundle beside the baselines, overall and by slice."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from components.report.charts import interval_chart, reliability_chart
from components.report.data import Json
from components.report.intervals import known, point
from components.report.words import (
    BASELINE_MEANINGS,
    METRIC_MEANINGS,
    METRIC_NAMES,
    SLICE_MEANINGS,
    SYSTEM_NAMES,
    metric_label,
)

_RANKING = ("ndcg", "recall", "precision", "f1", "mrr", "hit_rate", "map")
_CATALOGUE = ("coverage", "novelty", "diversity", "mean_popularity", "exposure_gini")


def best_baseline(metrics: Json, name: str) -> tuple[str, float]:
    """The strongest baseline of all items, and its value."""
    others = {
        system: entry["all"][name]["value"]
        for system, entry in metrics["systems"].items()
        if system not in ("bundle", "last_blessed", "uncompressed")
    }
    best = max(others, key=lambda system: others[system])
    return best, float(others[best])


def quality(metrics: Json | None) -> list[dict[str, Any]]:
    """One entry per view: chart, table of systems, table over k."""
    if metrics is None:
        return []
    name = metrics["primary_metric"]
    k = name.partition("@")[2]
    titles = {"all": "All items", "new": "Items new to the user"}
    result = []
    for view, count in metrics["num_moments"].items():
        systems = metrics["systems"]
        points = [
            [
                point(
                    SYSTEM_NAMES.get(s, s),
                    systems[s][view][name],
                    count,
                    strong=s == "bundle",
                )
            ]
            for s in systems
        ]
        rows = [
            {
                "name": SYSTEM_NAMES.get(s, s),
                "strong": s == "bundle",
                "ranking": [
                    known(systems[s][view][f"{m}@{k}"], count) for m in _RANKING
                ],
                "catalogue": [systems[s][view][f"{m}@{k}"] for m in _CATALOGUE],
                "difference": known(
                    metrics["differences"].get(s, {}).get(view, {}).get(name), count
                ),
            }
            for s in systems
        ]
        result.append(
            {
                "title": titles.get(view, view),
                "count": count,
                "metric": metric_label(name),
                "k": k,
                "chart": interval_chart(points),
                "ranking": [METRIC_NAMES[m] for m in _RANKING],
                "catalogue": [METRIC_NAMES[m] for m in _CATALOGUE],
                "rows": rows,
                "k_values": metrics["k_values"],
                "by_k": [
                    {
                        "name": METRIC_NAMES[m],
                        "cells": [
                            known(systems["bundle"][view][f"{m}@{n}"], count)
                            for n in metrics["k_values"]
                        ],
                    }
                    for m in _RANKING
                ],
            }
        )
    return result


def meanings(metrics: Json | None) -> list[tuple[str, str]]:
    """Name and meaning of each figure and of each system that it is compared with."""
    if metrics is None:
        return []
    figures = [(METRIC_NAMES[m], METRIC_MEANINGS[m]) for m in _RANKING + _CATALOGUE]
    return figures + [
        (SYSTEM_NAMES[s], BASELINE_MEANINGS[s])
        for s in metrics["systems"]
        if s in BASELINE_MEANINGS
    ]


def reliability(metrics: Json | None) -> Markup:
    """Calibration chart, empty without probabilities."""
    bins = ((metrics or {}).get("probabilities") or {}).get("bins")
    return reliability_chart(bins) if bins else Markup("")


def slices(metrics: Json | None) -> list[dict[str, Any]]:
    """One entry per slice feature: its values, bundle beside the best baseline."""
    if metrics is None:
        return []
    name = metrics["primary_metric"]
    best, _ = best_baseline(metrics, name)
    features = dict.fromkeys(s["feature"] for s in metrics["slices"])
    result = []
    for feature in features:
        chosen = [
            s
            for s in metrics["slices"]
            if s["feature"] == feature and s["view"] == "all"
        ]
        chosen.sort(key=lambda s: -s["num_moments"])
        if feature == "activity_bucket":
            chosen.sort(key=lambda s: int(s["value"].split("-")[0].rstrip("+")))
        points = []
        for entry in chosen:
            count, systems = entry["num_moments"], entry["systems"]
            label = f"{entry['value']} ({count:,})"
            ours = point(label, systems["bundle"][name], count, strong=True)
            points.append([ours, point("", systems[best][name], count)])
        result.append(
            {
                "feature": feature.replace("_", " "),
                "meaning": SLICE_MEANINGS.get(feature, ""),
                "baseline": SYSTEM_NAMES.get(best, best),
                "metric": metric_label(name),
                "chart": interval_chart(points),
            }
        )
    return result
