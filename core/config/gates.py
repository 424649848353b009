"""What a bundle must show before it is pushed."""

from __future__ import annotations

import dataclasses

from core.config.base import Config

# What every run measures beside its bundle, in metrics.json and search_metrics.json.
POPULARITY, USER_FREQUENCY, ITEM_KNN = "popularity", "user_frequency", "item_knn"
BASELINES = (POPULARITY, USER_FREQUENCY, ITEM_KNN)
BM25 = "bm25"
SEARCH_BASELINES = (BM25,)


@dataclasses.dataclass(frozen=True, kw_only=True)
class GatesConfig(Config):
    """Bounds of the gates; None switches a bound off."""

    # Baselines (names in metrics.json) whose primary metric the bundle must exceed.
    must_beat: tuple[str, ...] = (POPULARITY, USER_FREQUENCY)
    # Systems in search_metrics.json that the bundle's search must not fall below on
    # judged queries: the gate of a shop without events.
    search_must_hold: tuple[str, ...] = (BM25,)
    # Largest accepted fall of the primary metric below the last blessed model, in
    # percent: overall, and on any slice with enough moments. Three training seeds on
    # Online Retail spread by about 1.5 %, slices of 100 moments by about 8 %.
    max_drop_percent: float = 5.0
    max_slice_drop_percent: float = 15.0
    min_slice_moments: int = 100
    # Largest accepted fall of the primary metric, for all items and for new ones, below
    # the same bundle before compression, in percent. None: not asked.
    max_compression_drop_percent: float | None = 0.5
    # Share of the catalogue on at least one test page of length `primary_k`.
    min_coverage: float = 0.05
    # The bundle is loaded in the model server, which answers its warm-up requests.
    check_serving: bool = True
    # Load and answer; generous, for a busy machine only waits longer.
    serving_timeout_s: float = 300.0
    max_size_mb: float | None = None
    max_latency_ms: float | None = None  # median of single-row warm-up requests

    def __post_init__(self) -> None:
        for name in ("max_drop_percent", "max_slice_drop_percent"):
            self.require(0 <= getattr(self, name) <= 100, name, "0 .. 100")
        drop = self.max_compression_drop_percent
        self.require(
            drop is None or 0 <= drop <= 100,
            "max_compression_drop_percent",
            "0 .. 100, or None",
        )
        self.require(0 <= self.min_coverage <= 1, "min_coverage", "0 .. 1")
        self.require(self.min_slice_moments >= 1, "min_slice_moments", ">= 1")
        self.require(self.serving_timeout_s > 0, "serving_timeout_s", "> 0")
        for name in ("max_size_mb", "max_latency_ms"):
            value = getattr(self, name)
            self.require(value is None or value > 0, name, "> 0, or None")
        self.require(
            self.max_latency_ms is None or self.check_serving,
            "max_latency_ms",
            "None where `check_serving` is false",
            "Nothing is asked of a model server then: set `check_serving: true`.",
        )
