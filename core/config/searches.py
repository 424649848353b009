"""How search pages are told apart and sampled for training."""

from __future__ import annotations

import dataclasses

from core.config.base import Config


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchMomentConfig(Config):
    """Settings of the search impressions that JoinHistory writes."""

    # Events of one user and query without a session_id are one page while neighbours in
    # time are at most this far apart; half an hour is the web's usual end of a visit.
    page_gap_s: int = 1_800
    # More pages of a split are sampled down to this many, by hash. A page with 200
    # events of history and 6 items takes about 10 kB in memory.
    max_pages_per_split: int = 50_000
    seed: int = 20_240_502

    def __post_init__(self) -> None:
        self.require(self.page_gap_s >= 0, "page_gap_s", ">= 0")
        self.require(self.max_pages_per_split >= 1, "max_pages_per_split", ">= 1")
