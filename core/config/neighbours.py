"""Item-item neighbours, popularity, titles and query clicks as of a cut-off."""

from __future__ import annotations

import dataclasses

from core.config.base import Config
from core.config.limits import MAX_EVENTS
from core.config.query_clicks import QueryClicksConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class NeighboursConfig(Config):
    """How `build_item_tables` counts, from events before the cut-off only."""

    # A larger log is sampled by user: everything of some, nothing of the others.
    max_events: int = MAX_EVENTS
    num_neighbours: int = 200  # kept per item in collaborative tables
    num_title_neighbours: int = 30
    # All pairs of titles are compared up to here, those of near vectors beyond.
    exact_titles_max_items: int = 20_000
    # EASE inverts an n x n matrix: seconds at 4 k items, minutes beyond 10 k.
    ease_max_items: int = 8_000
    ease_lambda: float = 300.0  # Online Retail trial; L2 on item-item weights
    # Weight exp(-age / this) of a pair's newest event, in a second EASE over purchases,
    # and in EASE and factors over all event types.
    lately_days: float = 120.0
    lately_lambda: float = 100.0
    # Ridge from what was bought before the last days to what was bought in them.
    forecast_days: float = 39.0
    forecast_lambda: float = 200.0
    num_factors: int = 64
    # Shrinkage of cosine neighbours: counts below it are mostly chance.
    shrinkage: float = 10.0
    # Decay of a visit's weight in the basket table, as exp(-age / this).
    basket_decay_days: float = 90.0
    # Events of one user within the same bucket of this length are one visit.
    visit_s: int = 86_400
    # Longer visits are cut to this many items when pairs are counted.
    max_visit_items: int = 200
    popularity_days: tuple[int, ...] = (7, 14, 30, 60, 90)
    trend_days: int = 30
    trend_power: float = 0.75  # Online Retail trial: EASE x trend ** .75
    title_dim: int = 64
    query_clicks: QueryClicksConfig = dataclasses.field(
        default_factory=QueryClicksConfig
    )

    def __post_init__(self) -> None:
        for name in (
            "max_events",
            "num_neighbours",
            "num_title_neighbours",
            "visit_s",
            "title_dim",
            "num_factors",
        ):
            self.require(getattr(self, name) >= 1, name, ">= 1")
        positive = ("ease_lambda", "lately_days", "lately_lambda", "forecast_days")
        for name in (*positive, "forecast_lambda"):
            self.require(getattr(self, name) > 0, name, "> 0")
        self.require(self.shrinkage >= 0, "shrinkage", ">= 0")
        self.require(self.exact_titles_max_items >= 0, "exact_titles_max_items", ">= 0")
        self.require(self.basket_decay_days > 0, "basket_decay_days", "> 0")
        self.require(self.max_visit_items >= 2, "max_visit_items", ">= 2")
        self.require(self.trend_days >= 1, "trend_days", ">= 1")
        days = self.popularity_days
        self.require(
            len(days) >= 1 and min(days) >= 1 and list(days) == sorted(set(days)),
            "popularity_days",
            "distinct, growing numbers of days",
        )
