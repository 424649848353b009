"""Candidate sources, their sizes, and the rows that the ranker trains on."""

from __future__ import annotations

import dataclasses

from core.config.base import Config


@dataclasses.dataclass(frozen=True, kw_only=True)
class FunnelConfig(Config):
    """How many candidates each source gives (0 switches it off), and feature scales."""

    # C, after removing duplicates. Validation NDCG@20 with 450 / 320, one ranker: demo
    # .4055 / .4076, Online Retail .3407 / .3409; serving time falls in proportion.
    num_candidates: int = 320
    own: int = 250  # items of the person's history
    cf: int = 150  # collaborative scores (EASE, or cosine for big catalogues)
    cf_trend: int = 150  # the same times the item's recent trend
    lately: int = 100  # EASE over purchases weighted by age
    forecast: int = 100  # what buyers of the history's items bought next
    factors: int = 60  # truncated SVD
    knn: int = 80  # item cosine over a recency-weighted history
    basket: int = 60  # bought in the same visits, lately
    interest: int = 80  # collaborative scores over all event types
    title: int = 40  # title neighbours of the history
    popular: int = 60  # per popularity window
    trending: int = 60
    tower: int = 100  # the retriever's nearest items
    # Which windows of `NeighboursConfig.popularity_days` are sources.
    popular_days: tuple[int, ...] = (14, 30, 60)
    # Items nobody has touched before the cut-off may come from the title source.
    cold_items: bool = True
    # Scales of decayed counts; about the shop's horizon, and three times it.
    decay_days: tuple[float, ...] = (45.0, 120.0)
    # Training rows per moment: every retrieved positive, then sampled negatives.
    max_rows_per_moment: int = 160
    mining_batch: int = 64
    seed: int = 7

    def __post_init__(self) -> None:
        for name in ("num_candidates", "max_rows_per_moment", "mining_batch"):
            self.require(getattr(self, name) >= 1, name, ">= 1")
        sizes = ("own", "cf", "cf_trend", "lately", "forecast", "factors", "knn")
        more = ("basket", "interest", "title", "popular", "trending", "tower")
        for name in (*sizes, *more):
            self.require(getattr(self, name) >= 0, name, ">= 0 (0 = off)")
        self.require(
            len(self.decay_days) >= 1 and min(self.decay_days) > 0,
            "decay_days",
            "positive numbers of days",
        )
