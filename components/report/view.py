"""Turns ReportData into what the template prints: rows, tiles and charts."""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup

from components.report.charts import (
    Point,
    Series,
    interval_chart,
    line_chart,
    reliability_chart,
)
from components.report.compression import compression
from components.report.data import ExecutionRecord, Json, ReportData
from components.report.load import load
from components.report.models import rankers, retriever, text_encoder
from components.report.search import search
from components.report.words import (
    METRIC_NAMES,
    SYSTEM_NAMES,
    day,
    duration,
    metric_label,
    size,
    utc,
)

_RANKING = ("ndcg", "recall", "precision", "f1", "mrr", "hit_rate", "map")
_CATALOGUE = ("coverage", "novelty", "diversity", "mean_popularity", "exposure_gini")
_NOT_CURVES = {"seconds", "examples_per_second", "epoch", "step", "learning_rate"}


def context(data: ReportData) -> dict[str, Any]:
    """Variables of template report.html."""
    return {
        "data": data,
        "created": utc(data.created),
        "status": status(data),
        "tiles": tiles(data),
        "quality": quality(data.metrics),
        "without_events": without_events(data),
        "search": search(data.search),
        "compression": compression(data.compression, data.metrics),
        "load": load(data.load),
        "reliability": reliability(data.metrics),
        "slices": slices(data.metrics),
        "curves": {n: curves(h) for n, h in data.histories.items() if h},
        "text_encoder": text_encoder(data.text_encoder, data.text_encoder_table),
        "rankers": rankers(data.histories),
        "retriever": retriever(data.histories),
        "timings": timings(data.executions),
        "versions": (data.bundle or {}).get("versions", {}),
        "settings": settings(data.bundle),
        "system_names": SYSTEM_NAMES,
        "utc": utc,
        "day": day,
        "size": size,
        "duration": duration,
        "number": lambda v: f"{v:,}",
        "percent": lambda v: f"{v:.1%}",
    }


def without_events(data: ReportData) -> bool:
    """Whether the shop has no log, which is why quality and training are not shown."""
    events = (data.clean_summary or {}).get("events")
    return events is not None and not events["rows_in"]


def status(data: ReportData) -> dict[str, str]:
    """Word, style and sentence of the header."""
    if data.verdicts is None:
        return {"word": "not judged", "style": "warn", "text": "The gates did not run."}
    failed = [v["gate"] for v in data.verdicts["verdicts"] if not v["passed"]]
    if not data.verdicts["blessed"]:
        return {
            "word": "not blessed",
            "style": "bad",
            "text": "Nothing was pushed; the version served before stays. Failed: "
            + "; ".join(failed)
            + ".",
        }
    if data.pushed and data.pushed.get("pushed"):
        version = data.pushed["version"]
        return {
            "word": "blessed and pushed",
            "style": "good",
            "text": f"Version {version} is in {data.pushed['destination']}.",
        }
    return {"word": "blessed", "style": "good", "text": "Not pushed."}


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
    best, gain = _best_baseline(metrics, name)
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


def _best_baseline(metrics: Json, name: str) -> tuple[str, float]:
    others = {
        system: entry["all"][name]["value"]
        for system, entry in metrics["systems"].items()
        if system not in ("bundle", "last_blessed", "uncompressed")
    }
    best = max(others, key=lambda system: others[system])
    ours = metrics["systems"]["bundle"]["all"][name]["value"]
    return best, ours / others[best] - 1.0 if others[best] > 0 else 0.0


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
                Point(
                    SYSTEM_NAMES.get(s, s),
                    **systems[s][view][name],
                    strong=s == "bundle",
                )
            ]
            for s in systems
        ]
        rows = [
            {
                "name": SYSTEM_NAMES.get(s, s),
                "strong": s == "bundle",
                "ranking": [systems[s][view][f"{m}@{k}"] for m in _RANKING],
                "catalogue": [systems[s][view][f"{m}@{k}"] for m in _CATALOGUE],
                "difference": metrics["differences"].get(s, {}).get(view, {}).get(name),
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
                            systems["bundle"][view][f"{m}@{n}"]
                            for n in metrics["k_values"]
                        ],
                    }
                    for m in _RANKING
                ],
            }
        )
    return result


def reliability(metrics: Json | None) -> Markup:
    """Calibration chart, empty without probabilities."""
    bins = ((metrics or {}).get("probabilities") or {}).get("bins")
    return reliability_chart(bins) if bins else Markup("")


def slices(metrics: Json | None) -> list[dict[str, Any]]:
    """One entry per slice feature: its values, bundle beside the best baseline."""
    if metrics is None:
        return []
    name = metrics["primary_metric"]
    best, _ = _best_baseline(metrics, name)
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
            label = f"{entry['value']} ({entry['num_moments']:,})"
            ours = Point(label, **entry["systems"]["bundle"][name], strong=True)
            points.append([ours, Point("", **entry["systems"][best][name])])
        result.append(
            {
                "feature": feature.replace("_", " "),
                "baseline": SYSTEM_NAMES.get(best, best),
                "metric": metric_label(name),
                "chart": interval_chart(points),
            }
        )
    return result


def curves(history: Json) -> list[dict[str, Any]]:
    """Charts of one trainer's history: one per quantity, a line per trial."""
    runs: list[tuple[str, list[Json]]] = []
    if isinstance(history.get("epochs"), list):
        runs.append(("", history["epochs"]))
    for trial in history.get("trials", []):
        runs.append((str(trial.get("architecture", "trial")), trial.get("epochs", [])))
    if isinstance(history.get("final"), dict):
        runs.append(("final fit", history["final"].get("epochs", [])))
    quantities: dict[str, list[Series]] = {}
    for hue, (label, epochs) in enumerate(runs):
        for name in dict.fromkeys(key for entry in epochs for key in entry):
            pairs = [
                (float(number), float(entry[name]))
                for number, entry in enumerate(epochs, 1)
                if isinstance(entry.get(name), (int, float))
            ]
            if pairs and name not in _NOT_CURVES:
                x, y = zip(*pairs, strict=True)
                quantities.setdefault(name, []).append(Series(label, x, y, hue))
    return [
        {
            "title": name.replace("_", " "),
            "chart": line_chart(lines, title=name),
            "legend": [label for label, _ in runs if label],
        }
        for name, lines in quantities.items()
    ]


def timings(executions: tuple[ExecutionRecord, ...]) -> list[dict[str, Any]]:
    """Rows of the timing table with bar lengths in percent of the longest."""
    done = [e for e in executions if e.state != "running"]
    longest = max([e.seconds for e in done] + [1e-9])
    return [
        {
            "component": e.component,
            "state": e.state,
            "seconds": duration(e.seconds),
            "share": 100.0 * e.seconds / longest,
            "size": size(e.size_bytes),
            "execution": e,
        }
        for e in done
    ]


def settings(bundle: Json | None) -> str:
    """Settings of the bundle as indented JSON."""
    if not bundle:
        return ""
    kept = {k: v for k, v in bundle.items() if k not in ("versions", "metrics")}
    return json.dumps(kept, indent=2, ensure_ascii=False, sort_keys=True)
