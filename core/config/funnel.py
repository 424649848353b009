"""How many candidates there are, how they are found, what the ranker trains on."""

from __future__ import annotations

import dataclasses

from core.config.base import Config


@dataclasses.dataclass(frozen=True, kw_only=True)
class FunnelConfig(Config):
    """Size of the funnel, its first stage, feature scales, mined rows."""

    # C. The ranked page stops gaining long before recall does: on the validation period
    # 96 to 192 candidates are alike (docs/funnel.md), and serving time goes with C.
    num_candidates: int = 128
    # Catalogues of more items than this are not weighed whole for every page: only a
    # shelf of items is, and the head of it sets the scales (`trainer/funnel/shelf.py`).
    whole_max_items: int = 20_000
    shelf_size: int = 512
    head_size: int = 64
    # The tower's nearest items that come on the shelf, and how many cells of near items
    # they are looked for in (`trainer/retrieval_scale/partitioned_index.py`).
    tower_nearest: int = 64
    tower_probes: int = 64
    # Which windows of `NeighboursConfig.popularity_days` are signals.
    popular_days: tuple[int, ...] = (14, 30, 60)
    # Weight of the retriever's cosine in the first stage. Set, not learned: the tower
    # has seen the labels of the moments that the other weights are learned on.
    tower_weight: float = 1.0
    # The first stage's weights: newest training cut-offs, moments of each, passes.
    fusion_cutoffs: int = 2
    fusion_moments: int = 600
    fusion_epochs: int = 6
    fusion_l2: float = 1e-3
    # Items nobody has touched before the cut-off may be candidates.
    cold_items: bool = True
    # Scales of decayed counts; about the shop's horizon, and three times it.
    decay_days: tuple[float, ...] = (45.0, 120.0)
    # Training rows per moment: every retrieved positive, then sampled negatives.
    max_rows_per_moment: int = 160
    # Moments mined of each cut-off, more are sampled down: the ranker holds their rows
    # in memory, 48 kB a moment of the demo shop (which has 2,100 a cut-off).
    max_moments: int = 10_000
    mining_batch: int = 64
    seed: int = 7

    def has_shelf(self, num_items: int) -> bool:
        """Whether pages of a catalogue weigh a shelf of items instead of all."""
        return num_items > self.whole_max_items

    def __post_init__(self) -> None:
        for name in (
            "num_candidates",
            "shelf_size",
            "head_size",
            "tower_nearest",
            "tower_probes",
            "max_rows_per_moment",
            "max_moments",
            "mining_batch",
            "fusion_cutoffs",
            "fusion_moments",
            "fusion_epochs",
        ):
            self.require(getattr(self, name) >= 1, name, ">= 1")
        self.require(
            self.shelf_size >= self.num_candidates, "shelf_size", ">= num_candidates"
        )
        self.require(self.tower_weight >= 0, "tower_weight", ">= 0 (0 = off)")
        self.require(self.fusion_l2 >= 0, "fusion_l2", ">= 0")
        self.require(
            len(self.decay_days) >= 1 and min(self.decay_days) > 0,
            "decay_days",
            "positive numbers of days",
        )
