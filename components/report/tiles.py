"""The few figures at the head of the report."""

from __future__ import annotations

from components.report.data import Json, ReportData
from components.report.quality import best_baseline
from components.report.words import SYSTEM_NAMES, metric_label


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
            {
                "label": f"{label}, {words}",
                "value": f"{value['value']:.3f}",
                "note": f"{value['low']:.3f} to {value['high']:.3f}",
            }
        )
    best, gain = best_baseline(metrics, name)
    found.append(
        {
            "label": f"over {SYSTEM_NAMES.get(best, best)}",
            "value": f"{gain:+.1%}",
            "note": "the best baseline, all items",
        }
    )
    k = name.partition("@")[2]
    coverage = metrics["systems"]["bundle"]["all"][f"coverage@{k}"]["value"]
    found.append(
        {
            "label": "catalogue coverage",
            "value": f"{coverage:.0%}",
            "note": f"of {metrics['num_items']:,} items on some page",
        }
    )
    found += _serving_tiles(data.verdicts)
    return found


def _search_tiles(metrics: Json | None) -> list[dict[str, str]]:
    """The bundle's search beside BM25 on judged queries, where that is all there is."""
    graded = ((metrics or {}).get("judged") or {}).get("graded")
    if metrics is None or not graded:
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
