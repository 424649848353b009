"""Turns ReportData into what the template prints: rows, tiles and charts."""

from __future__ import annotations

import json
from typing import Any

from components.pusher.push import what_stays
from components.report.compression import compression
from components.report.curves import curves
from components.report.data import ExecutionRecord, Json, ReportData
from components.report.intervals import LEAST_MOMENTS
from components.report.load import load
from components.report.models import rankers, retriever, text_encoder
from components.report.quality import meanings, quality, reliability, slices
from components.report.search import search
from components.report.tiles import tiles
from components.report.words import SYSTEM_NAMES, day, duration, size, utc
from core.progress import counted


def context(data: ReportData) -> dict[str, Any]:
    """Variables of template report.html."""
    return {
        "data": data,
        "created": utc(data.created),
        "status": status(data),
        "tiles": tiles(data),
        "quality": quality(data.metrics),
        "quality_meanings": meanings(data.metrics),
        "after": after(data.bundle),
        "without_events": without_events(data),
        "search": search(data.search),
        "compression": compression(data.compression, data.metrics),
        "load": load(data.load),
        "reliability": reliability(data.metrics),
        "slices": slices(data.metrics),
        "curves": {n: curves(n, h) for n, h in data.histories.items() if h},
        "text_encoder": text_encoder(data.text_encoder, data.text_encoder_table),
        "rankers": rankers(data.histories),
        "retriever": retriever(data.histories),
        "timings": timings(data.executions),
        "run_time": duration(_span(data.executions)[1]),
        "versions": (data.bundle or {}).get("versions", {}),
        "settings": settings(data.bundle),
        "tables": tables(data),
        "least_moments": LEAST_MOMENTS,
        "system_names": SYSTEM_NAMES,
        "utc": utc,
        "day": day,
        "size": size,
        "duration": duration,
        "counted": counted,
        "number": lambda v: f"{v:,}",
        "percent": lambda v: f"{v:.1%}",
    }


def after(bundle: Json | None) -> str:
    """`in the 14 days after`, where the bundle says how many; else `after`."""
    days = (bundle or {}).get("splits", {}).get("horizon_days")
    return f"in the {counted(days, 'day')} after" if days else "after"


def without_events(data: ReportData) -> bool:
    """Whether the shop has no log, which is why quality and training are not shown."""
    events = (data.clean_summary or {}).get("events")
    return events is not None and not events["rows_in"]


def tables(data: ReportData) -> dict[str, Json]:
    """Counts by table; rows in are those of the shop's own, the adapter's rejects too.

    Clean does not read judgments: what the adapter kept of them is kept.
    """
    summary = data.clean_summary or {}
    found = {name: summary[name] for name in ("items", "events") if summary.get(name)}
    if data.num_judgments is not None:
        found["judgments"] = dict.fromkeys(("rows_in", "rows_out"), data.num_judgments)
    rejected = (summary.get("adapter") or {}).get("rejected", {})
    return {
        name: {**counts, "rows_in": counts["rows_in"] + sum(refused.values())}
        for name, counts in found.items()
        for refused in [rejected.get(name, {})]
    }


def status(data: ReportData) -> dict[str, str]:
    """Word, style and sentence of the header."""
    if data.verdicts is None:
        return {"word": "not judged", "style": "warn", "text": "The gates did not run."}
    failed = [v["gate"] for v in data.verdicts["verdicts"] if not v["passed"]]
    if not data.verdicts["blessed"]:
        return {
            "word": "not blessed",
            "style": "bad",
            "text": f"Nothing was pushed{_stays(data.pushed)}. Failed: "
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
    held = data.pushed and data.pushed.get("held")
    text = "Not pushed."
    if held:  # the page is written before that
        text = (
            "Not pushed itself: its refit on everything comes after this page, and is "
            "pushed once it answers in the model server."
        )
    return {"word": "blessed", "style": "good", "text": text}


def _stays(pushed: Json | None) -> str:
    """What is served all the same, where the Pusher has said."""
    if pushed is None or "served" not in pushed:
        return ""
    return f"; {what_stays(pushed['served'])}"


def timings(executions: tuple[ExecutionRecord, ...]) -> list[dict[str, Any]]:
    """Rows of the timing table; `left` and `width` of a bar are percent of the run.

    What came from the cache took no time of this run: it has no bar.
    """
    done = [e for e in executions if e.state != "running"]
    begin, span = _span(executions)
    return [
        {
            "component": e.component,
            "state": e.state,
            "seconds": duration(e.seconds),
            "left": 100.0 * (e.started - begin) / span,
            "width": 0.0 if e.state == "cached" else 100.0 * e.seconds / span,
            "size": size(e.size_bytes),
            "execution": e,
        }
        for e in done
    ]


def _span(executions: tuple[ExecutionRecord, ...]) -> tuple[float, float]:
    """When the first of what was computed began, and seconds until the last ended."""
    computed = [e for e in executions if e.state not in ("cached", "running")]
    begin = min((e.started for e in computed), default=0.0)
    end = max((e.started + e.seconds for e in computed), default=0.0)
    return begin, max(end - begin, 1e-9)


def settings(bundle: Json | None) -> str:
    """Settings of the bundle as indented JSON."""
    if not bundle:
        return ""
    kept = {k: v for k, v in bundle.items() if k not in ("versions", "metrics")}
    return json.dumps(kept, indent=2, ensure_ascii=False, sort_keys=True)
