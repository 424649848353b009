"""Turns load_curve.json into what template load.html prints."""

from __future__ import annotations

from typing import Any

from components.report.charts import Series, line_chart
from components.report.data import Json

_APIS = {"rest": "REST", "grpc": "gRPC"}
_LINES = {"median": "p50_ms", "99 of 100": "p99_ms"}


def load(found: Json | None) -> dict[str, Any] | None:
    """A chart and a table per API; None where nothing was measured.

    Args:
      found: {version, cores, curves: {api: {saturation, points: [{rate, p50_ms, p99_ms,
        errors}]}}}, points by rising rate.
    """
    if not found or not found["curves"]:
        return None
    cards = []
    for api, curve in found["curves"].items():
        points = curve["points"]
        rates = [point["rate"] for point in points]
        lines = [
            Series(name, rates, [point[key] for point in points], hue)
            for hue, (name, key) in enumerate(_LINES.items())
        ]
        cards.append(
            {
                "api": _APIS.get(api, api),
                "saturation": curve["saturation"],
                "chart": line_chart(lines, title=f"Latency by rate, {api}"),
                "points": points,
            }
        )
    return {
        "version": found["version"],
        "cores": found["cores"],
        "legend": list(_LINES),
        "cards": cards,
    }
