"""How the served bundle is measured."""

from __future__ import annotations

import dataclasses

from core.config.base import Config
from core.config.limits import MAX_EVENTS
from core.signatures import MAX_K


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluationConfig(Config):
    """Protocol of `EvaluateFunnel` and size of the examples that TFMA sees."""

    k_values: tuple[int, ...] = (5, 10, 20, 50, 100)
    # The metric that gates and report lead with: NDCG at this k.
    primary_k: int = 20
    # Test moments measured; more are sampled down with `seed`.
    max_moments: int = 5000
    # A larger log is sampled by user: everything of some, nothing of the others.
    max_events: int = MAX_EVENTS
    batch_size: int = 128  # moments per `recommend` call
    bootstrap_samples: int = 1000
    confidence: float = 0.95
    seed: int = 17
    # Lower edges of the activity buckets, in events before the cut-off.
    activity_edges: tuple[int, ...] = (1, 10, 50, 200)
    # Values of a context feature that get a slice of their own; the rest is "other".
    top_context_values: int = 5
    num_example_pages: int = 6
    # Item-kNN baseline: BM25-weighted co-occurrence, neighbours kept per item.
    knn_neighbours: int = 80
    # TFMA: rows in all, negatives per moment. 20 k rows keep Evaluator near 30 s.
    max_rank_examples: int = 12_000
    rank_negatives: int = 8
    rank_max_history: int = 100  # newest events per row, to keep the rows small
    # TFMA's thresholds: least AUC of the target event's probability (.5 is chance; 0:
    # any will do), and how far it may fall below the last blessed model's. Here, not
    # in GatesConfig: a Kubeflow run may change its gates, its Evaluator is compiled in.
    min_auc: float = 0.6
    max_auc_drop: float = 0.02

    def __post_init__(self) -> None:
        self.require(
            bool(self.k_values) and 1 <= min(self.k_values) <= max(self.k_values),
            "k_values",
            "one or more k >= 1",
        )
        self.require(max(self.k_values) <= MAX_K, "k_values", f"at most {MAX_K}")
        self.require(self.primary_k in self.k_values, "primary_k", "one of k_values")
        self.require(0 < self.confidence < 1, "confidence", "between 0 and 1")
        for name in (
            "max_moments",
            "max_events",
            "batch_size",
            "bootstrap_samples",
            "knn_neighbours",
        ):
            self.require(getattr(self, name) >= 1, name, ">= 1")
        for name in ("top_context_values", "num_example_pages"):
            self.require(getattr(self, name) >= 0, name, ">= 0")
        self.require(
            list(self.activity_edges) == sorted(set(self.activity_edges))
            and min(self.activity_edges, default=0) >= 1,
            "activity_edges",
            "one or more numbers >= 1, strictly ascending",
        )
        self.require(
            1 <= self.max_rank_examples <= 20_000, "max_rank_examples", "1 .. 20000"
        )
        for name in ("rank_negatives", "rank_max_history"):
            self.require(getattr(self, name) >= 1, name, ">= 1")
        for name in ("min_auc", "max_auc_drop"):
            self.require(0 <= getattr(self, name) <= 1, name, "0 .. 1")

    @property
    def primary_metric(self) -> str:
        return f"ndcg@{self.primary_k}"

    @property
    def page_length(self) -> int:
        """Length of the page that the bundle is asked for."""
        return max(self.k_values)
