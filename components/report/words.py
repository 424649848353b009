"""How names, times and sizes are written on the page."""

from __future__ import annotations

import datetime as dt

SYSTEM_NAMES = {
    "bundle": "this bundle",
    "last_blessed": "last blessed",
    "uncompressed": "bundle, uncompressed",
    "popularity": "popularity",
    "user_frequency": "user frequency",
    "item_knn": "item-kNN",
    "bm25": "BM25, all text",
}
TRUTH_NAMES = {
    "graded": "Judgments",
    "clicked": "Clicked in the test period",
    "bought": "Bought in the test period",
}
QUERY_CLASS_NAMES = {
    "all": "all",
    "head": "frequent",
    "tail": "rare",
    "generic": "generic",
    "specific": "specific",
    "misspelt": "misspelt",
    "synonym": "other words",
    "chinese": "Chinese",
}
METRIC_NAMES = {
    "ndcg": "NDCG",
    "ndcg_judged": "NDCG, judged only",
    "judged": "Judged",
    "recall": "Recall",
    "precision": "Precision",
    "f1": "F1",
    "mrr": "MRR",
    "hit_rate": "Hit rate",
    "map": "MAP",
    "coverage": "Coverage",
    "novelty": "Novelty, bits",
    "diversity": "Diversity",
    "mean_popularity": "Mean buyers",
    "exposure_gini": "Exposure Gini",
}


def metric_label(name: str) -> str:
    """`ndcg@20` → `NDCG@20`."""
    metric, at, k = name.partition("@")
    return METRIC_NAMES.get(metric, metric) + at + k


def utc(seconds: int | float) -> str:
    """`2026-11-23 04:05 UTC`."""
    return f"{_moment(seconds):%Y-%m-%d %H:%M} UTC"


def day(seconds: int | float) -> str:
    """`2026-11-23`."""
    return f"{_moment(seconds):%Y-%m-%d}"


def _moment(seconds: int | float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc)


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 05 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def size(num_bytes: int | None) -> str:
    """`—`, `812 B`, `4.1 kB`, `23.0 MB`."""
    if not num_bytes:
        return "—"
    value = float(num_bytes)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
