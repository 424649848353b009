"""How sessions are told apart and next-session moments are sampled."""

from __future__ import annotations

import dataclasses

from core.config.base import Config
from core.config.searches import SearchMomentConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class MomentConfig(Config):
    """Settings of the history join; cut-offs and lengths are SplitConfig's."""

    # Events without a session_id belong to one session while no two neighbours in time
    # are further apart than this; 0 joins only events of the same second.
    session_gap_s: int = 0
    # Next-session moments with a shorter history are left out.
    min_next_history: int = 1
    # Seed of the sample of a user's sessions.
    seed: int = 20_240_501
    # Groups of users that are joined at a time; one worker holds one group. At least
    # eight, which keep 400 k events on a small machine busy; beyond, as many as there
    # are `events_per_bucket`.
    num_buckets: int = 8
    events_per_bucket: int = 200_000
    searches: SearchMomentConfig = dataclasses.field(default_factory=SearchMomentConfig)

    def __post_init__(self) -> None:
        self.require(self.session_gap_s >= 0, "session_gap_s", ">= 0")
        self.require(self.min_next_history >= 0, "min_next_history", ">= 0")
        self.require(self.num_buckets >= 1, "num_buckets", ">= 1")
        self.require(self.events_per_bucket >= 1, "events_per_bucket", ">= 1")
