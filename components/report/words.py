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
# What a reader who knows none of the words needs; "relevant": what the person did take.
METRIC_MEANINGS = {
    "ndcg": "nearness to the best page there can be, 1; a hit, that is a relevant item "
    "on the page, counts less further down",
    "recall": "hits divided by relevant items, or by places where those are fewer",
    "precision": "hits divided by places",
    "f1": "twice the hits divided by places and relevant items together",
    "mrr": "1 divided by the place of the first hit, 0 without one",
    "hit_rate": "share of pages with a hit",
    "map": "precision down to each hit, summed, divided by what recall divides by",
    "coverage": "share of the catalogue that is on some page",
    "novelty": "how rare the items shown are: one bit more for half as many buyers",
    "diversity": "0: a page's titles and categories are alike, 1: they share no word",
    "mean_popularity": "people who had bought an item that is shown, on average",
    "exposure_gini": "0: all items are shown equally often, 1: one item alone is",
}
SEARCH_MEANINGS = {
    "ndcg": METRIC_MEANINGS["ndcg"] + ", by grades where there are some",
    "ndcg_judged": "the same of the page without what nobody judged",
    "judged": "share of the places that somebody judged",
    "mrr": METRIC_MEANINGS["mrr"],
    "recall": "hits divided by all relevant items: small where those are many",
    "coverage": METRIC_MEANINGS["coverage"],
}
BASELINE_MEANINGS = {
    "popularity": "what most people bought",
    "user_frequency": "what the person bought, most often first, then what is popular",
    "item_knn": "what those bought who bought the same as the person",
    "last_blessed": "the model that the gates accepted before, on the same moments",
    "uncompressed": "the same bundle as it was trained",
}
SLICE_MEANINGS = {
    "activity_bucket": "events of the person before the moment",
    "returning": "returning: bought at more than one time before; new: at one or none",
    "price_bucket": "whether what the person looked at costs as the cheapest, the "
    "middle or the dearest third of the catalogue",
}
QUERY_CLASS_MEANINGS = {
    "frequent": "the most frequent queries, half of all searches before the test",
    "rare": "all others",
    "generic": "one word, or two that a hundredth of the titles hold",
    "specific": "all others",
    "misspelt": "a word one or two letters from one of the catalogue's",
    "other words": "a word that most titles of the relevant items lack",
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
