"""How the bundle's search is measured."""

from __future__ import annotations

import dataclasses

from core.config.base import Config
from core.config.limits import MAX_EVENTS
from core.signatures import MAX_K


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchEvaluationConfig(Config):
    """Protocol of `EvaluateSearch`."""

    k_values: tuple[int, ...] = (5, 10, 20)
    # The metric that report and bars lead with: NDCG at this k.
    primary_k: int = 10
    # Length of the page asked for: metrics over judged items alone look further down
    # than the longest k.
    page_length: int = 100
    # Searches of the test period measured; more are sampled down with `seed`.
    max_searches: int = 3000
    # A larger log is sampled by user: everything of some, nothing of the others.
    max_events: int = MAX_EVENTS
    max_history: int = 200  # newest events before a search
    batch_size: int = 64  # searches per call
    bootstrap_samples: int = 1000
    confidence: float = 0.95
    seed: int = 19
    min_class_size: int = 5  # smaller classes have no row of their own
    num_example_pages: int = 6
    # BM25 of the baseline: the values of Lucene and Elasticsearch.
    bm25_k1: float = 1.2
    bm25_b: float = 0.75

    def __post_init__(self) -> None:
        self.require(
            bool(self.k_values) and 1 <= min(self.k_values) <= max(self.k_values),
            "k_values",
            "one or more k >= 1",
        )
        self.require(self.primary_k in self.k_values, "primary_k", "one of k_values")
        self.require(
            max(self.k_values) <= self.page_length <= MAX_K,
            "page_length",
            f"between the longest k and {MAX_K}",
        )
        self.require(0 < self.confidence < 1, "confidence", "between 0 and 1")
        for name in (
            "max_searches",
            "max_events",
            "max_history",
            "batch_size",
            "bootstrap_samples",
            "min_class_size",
        ):
            self.require(getattr(self, name) >= 1, name, ">= 1")
        self.require(self.num_example_pages >= 0, "num_example_pages", ">= 0")
        self.require(self.bm25_k1 >= 0, "bm25_k1", ">= 0")
        self.require(0 <= self.bm25_b <= 1, "bm25_b", "0 .. 1")

    @property
    def primary_metric(self) -> str:
        return f"ndcg@{self.primary_k}"
