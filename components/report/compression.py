"""Turns compression.json into what template compression.html prints."""

from __future__ import annotations

from typing import Any

from components.report.data import Json
from components.report.words import metric_label

_SHOWN_ARRAYS = 12
_VIEWS = {"all": "all items", "new": "items new to the user"}


def compression(facts: Json | None, metrics: Json | None) -> dict[str, Any] | None:
    """Sizes, types, zeros, quality before and after; None of a bundle as trained.

    Args:
      facts: content of compression.json.
      metrics: content of metrics.json, where the bundle was measured both ways.
    """
    if facts is None:
        return None
    before, after = facts["before"], facts["after"]
    return {
        "bfloat16": facts.get("settings", {}).get("bfloat16_products", False),
        "ratio": before["bytes"] / max(after["bytes"], 1),
        "sizes": [
            {"name": name, "before": before[key], "after": after[key]}
            for name, key in (
                ("whole folder", "bytes"),
                ("arrays", "variable_bytes"),
                ("graph", "graph_bytes"),
            )
        ]
        + [
            {
                "name": "made float at load, in memory",
                "before": 0,
                "after": facts.get("expanded_bytes", 0),
            }
        ],
        "dtypes": _dtypes(before["by_dtype"], after["by_dtype"]),
        "arrays": after["arrays"][:_SHOWN_ARRAYS],
        "parameters": facts["parameters"],
        "rankers": [
            {"name": name.replace("_", " "), "refused": (), **found}
            for name, found in facts["rankers"].items()
            if found
        ],
        "quality": _quality(metrics),
    }


def _dtypes(before: Json, after: Json) -> list[dict[str, Any]]:
    none = {"numbers": 0, "bytes": 0}
    return [
        {"name": n, "before": before.get(n, none), "after": after.get(n, none)}
        for n in sorted({*before, *after})
    ]


def _quality(metrics: Json | None) -> list[dict[str, Any]]:
    """The primary metric of both bundles, by view."""
    systems = (metrics or {}).get("systems", {})
    if metrics is None or "uncompressed" not in systems:
        return []
    name = metrics["primary_metric"]
    rows = []
    for view, entry in systems["uncompressed"].items():
        if not metrics["num_moments"][view]:
            continue
        was, now = entry[name]["value"], systems["bundle"][view][name]["value"]
        rows.append(
            {
                "name": f"{metric_label(name)}, {_VIEWS.get(view, view)}",
                "before": was,
                "after": now,
                "change": now / was - 1.0 if was else None,
            }
        )
    return rows
