"""The few figures at the head of the report."""

from __future__ import annotations

from components.report.data import Json, ReportData
from components.report.intervals import known
from components.report.quality import best_baseline
from components.report.words import SYSTEM_NAMES, metric_label
from core.progress import counted


def tiles(data: ReportData) -> list[dict[str, str]]:
    """The few figures that a reader wants first."""
    metrics = data.metrics
    if metrics is None:
        return _search_tiles(data.search) + _serving_tiles(data.verdicts)
    name = metrics["primary_metric"]
    label = metric_label(name)
    found = []
    for view, words in (("all", "all items"), ("new", "items new to the user")):
        value = metrics["systems"]["bundle"][view][name]
        found.append(
            {"label": f"{label}, {words}", **_mean(value, metrics["num_moments"][view])}
        )
    found.append(_gain(metrics, name))
    k = name.partition("@")[2]
    coverage = metrics["systems"]["bundle"]["all"][f"coverage@{k}"]["value"]
    found.append(
        {
            "label": "catalogue coverage",
            "value": f"{coverage:.0%}",
            "note": f"of {counted(metrics['num_items'], 'item')} on some page",
        }
    )
    found += _serving_tiles(data.verdicts)
    return found


def _mean(value: Json, num_moments: int) -> dict[str, str]:
    """The mean and its interval, or why there is none."""
    shown = known(value, num_moments)
    if shown is None:
        return {"value": "—", "note": "there is no such moment"}
    if "low" not in shown:
        note = f"{counted(num_moments, 'moment')}, too few for an interval"
    else:
        note = f"{shown['low']:.3f} to {shown['high']:.3f}"
    return {"value": f"{shown['value']:.3f}", "note": note}


def _gain(metrics: Json, name: str) -> dict[str, str]:
    """How far the bundle is above the best baseline: no share of a baseline at 0."""
    best, theirs = best_baseline(metrics, name)
    ours = metrics["systems"]["bundle"]["all"][name]["value"]
    label, note = f"over {SYSTEM_NAMES.get(best, best)}", "the best baseline, all items"
    if theirs > 0:
        return {"label": label, "value": f"{ours / theirs - 1.0:+.1%}", "note": note}
    note = f"{metric_label(name)}; every baseline has 0"
    return {"label": label, "value": f"{ours:+.3f}", "note": note}


def _search_tiles(metrics: Json | None) -> list[dict[str, str]]:
    """The bundle's search beside BM25 on judged queries, where that is all there is."""
    graded = ((metrics or {}).get("judged") or {}).get("graded")
    if metrics is None or not graded or not graded["num_searches"]:
        return []
    name = metrics["primary_metric"]
    return [
        {
            "label": f"search, {metric_label(name)}",
            "value": f"{found[name]['value']:.3f}",
            "note": f"{SYSTEM_NAMES.get(system, system)}, judged queries",
        }
        for system, found in graded["systems"].items()
    ]


def _serving_tiles(verdicts: Json | None) -> list[dict[str, str]]:
    found = []
    for verdict in (verdicts or {}).get("verdicts", []):
        if verdict["gate"] == "is fast enough" and verdict["value"] is not None:
            value = f"{verdict['value']:.1f} ms"
            found.append({"label": "page over gRPC", "value": value, "note": "median"})
        if verdict["gate"] == "is small enough" and verdict["value"] is not None:
            value = f"{verdict['value']:.1f} MB"
            found.append({"label": "bundle", "value": value, "note": "one SavedModel"})
    return found
