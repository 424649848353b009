"""Sizes and behaviour of the simulated shop."""

from __future__ import annotations

import dataclasses

from core import features
from core.config import Config, ShopConfig, SplitConfig

END = 1_751_328_000  # 2025-07-01 00:00 UTC: 2025-06-30 is the last day
HORIZON_DAYS = 14


@dataclasses.dataclass(frozen=True, kw_only=True)
class SimulatorConfig(Config):
    """Letters are those of docs/simulated-shop.md."""

    num_items: int
    num_users: int
    sessions_per_user: float = 4.8  # mean over the whole calendar, replenishing apart
    num_days: int = 120
    slots: int = 6  # L, shown per page
    position_exponent: float = 0.6  # eta: b_p = (1 + p)^-eta
    zipf_exponent: float = 0.8  # item popularity inside the catalogue
    new_share: float = 0.3  # items launched during the calendar
    chinese_share: float = 0.2  # of the items, and of the people
    num_tastes: int = 4  # K groups a person buys from
    discover_share: float = 0.08  # of sessions: pages of the whole shop
    search_share: float = 0.4  # of sessions
    complement_share: float = 0.35  # kappa, while it lasts
    complement_days: int = 10
    replenish_share: float = 0.6  # mean of rho_u
    replenish_spread: float = 0.12  # sigma of the log period
    replenish_success: float = 0.85
    owned_factor: float = 0.1  # a lasting item that one has already
    other_brand_factor: float = 0.4  # items of another brand than the query's
    taste_concentration: float = 1.1  # theta_uk ~ (1 + k)^-this

    def __post_init__(self) -> None:
        for name in ("num_items", "num_users", "num_days", "slots", "num_tastes"):
            self.require(getattr(self, name) >= 1, name, ">= 1")
        for name in (
            "new_share",
            "chinese_share",
            "complement_share",
            "replenish_share",
            "replenish_success",
        ):
            self.require(0 <= getattr(self, name) <= 1, name, "0 .. 1")
        self.require(
            0 <= self.discover_share + self.search_share <= 1,
            "search_share",
            "at most 1 - discover_share",
        )

    @property
    def start(self) -> int:
        """First second of the calendar."""
        return END - self.num_days * features.SECONDS_PER_DAY

    @property
    def splits(self) -> SplitConfig:
        return SplitConfig(
            test_start=END - HORIZON_DAYS * features.SECONDS_PER_DAY,
            horizon_days=HORIZON_DAYS,
            stride_days=7,
            num_cutoffs=6,
            fit_cutoffs=4,
        )


# tiny is for tests, demo for `make run`; large has more than a million events.
SIZES = {
    "tiny": SimulatorConfig(num_items=320, num_users=400, sessions_per_user=12.0),
    "demo": SimulatorConfig(num_items=5_000, num_users=5_000),
    "large": SimulatorConfig(num_items=20_000, num_users=30_000),
}


def shop_config(name: str) -> ShopConfig:
    return ShopConfig(
        name=name,
        event_types=features.EVENTS,
        event_weights=(0.0, 0.05, 0.15, 1.0),
        target_event=features.PURCHASE,
        context_features=("country", "device"),
        currency="EUR",
    )
