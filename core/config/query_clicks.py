"""Click statistics of queries and items, and the position bias behind them."""

from __future__ import annotations

import dataclasses

from core.config.base import Config


@dataclasses.dataclass(frozen=True, kw_only=True)
class QueryClicksConfig(Config):
    """How `build_query_clicks` counts, from events before the cut-off only."""

    max_queries: int = 50_000  # the most frequent ones
    max_items_per_query: int = 200  # those with most clicks
    # Examined impressions at the shop's mean click rate that every pair starts with.
    smoothing: float = 10.0
    page_gap_s: int = 1_800  # as SearchMomentConfig's
    # Slots further down share one propensity.
    max_positions: int = 50
    # Clicks at the rate of a fitted power law that every position starts with.
    position_smoothing: float = 20.0

    def __post_init__(self) -> None:
        for name in ("max_queries", "max_items_per_query", "max_positions"):
            self.require(getattr(self, name) >= 1, name, ">= 1")
        for name in ("smoothing", "position_smoothing"):
            self.require(getattr(self, name) > 0, name, "> 0")
        self.require(self.page_gap_s >= 0, "page_gap_s", ">= 0")
