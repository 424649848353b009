"""What counts as an outlier, a bot, or a time that cannot be."""

from __future__ import annotations

import dataclasses

from core.config.base import Config


@dataclasses.dataclass(frozen=True, kw_only=True)
class CleanConfig(Config):
    """Limits of the cleaning rules (docs/data-validation.md states each rule)."""

    # Newest timestamp that is not "in the future", seconds UTC. The runner sets the end
    # of the day the run starts on, so that a second run that day finds its cache; None
    # asks the clock in the step itself.
    latest_timestamp: int | None = None
    # A user is bot-like with more than `bot_events_per_hour` events in each of at least
    # `bot_hours` clock hours. The busiest hour of an Online Retail customer, a
    # wholesaler's one invoice, has 541 lines.
    bot_events_per_hour: int = 1_000
    bot_hours: int = 3
    # Prices and quantities are clipped at `outlier_deviations` robust deviations
    # (1.4826 MAD of the logarithm) from their item's median, but never within a factor
    # of `price_min_ratio` / `quantity_min_ratio` of it: sales and bulk orders are real.
    outlier_deviations: float = 6.0
    price_min_ratio: float = 10.0
    quantity_min_ratio: float = 100.0
    # Items with fewer events have no trustworthy median.
    outlier_min_events: int = 5
    # Events of a group of users that is cleaned at a time; one worker holds one group.
    events_per_bucket: int = 250_000

    def __post_init__(self) -> None:
        latest = self.latest_timestamp
        self.require(latest is None or latest > 0, "latest_timestamp", "> 0 or None")
        for name in (
            "bot_events_per_hour",
            "bot_hours",
            "outlier_min_events",
            "events_per_bucket",
        ):
            self.require(getattr(self, name) >= 1, name, ">= 1")
        for name in ("price_min_ratio", "quantity_min_ratio"):
            self.require(getattr(self, name) > 1, name, "> 1")
        self.require(self.outlier_deviations > 0, "outlier_deviations", "> 0")
