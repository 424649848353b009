"""What the served bundle does beyond ranking."""

from __future__ import annotations

import dataclasses

from core.config.base import Config
from core.config.suggest import LexiconConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class BundleConfig(Config):
    """Diversity of pages, mix of `similar`, warm-up, and the lexicon."""

    # Score units that a candidate loses for each better-scored candidate of its own
    # category on the page; 0 keeps the ranker's order.
    diversity_penalty: float = 0.0
    # Weights of `similar`: co-occurrence, tower cosine, title cosine.
    similar_weights: tuple[float, ...] = (1.0, 0.3, 0.5)
    # History lengths and batch sizes of the warm-up requests.
    warmup_batch_sizes: tuple[int, ...] = (1, 8, 32)
    warmup_history: int = 32
    # No length in the funnel depends on values: what XLA must have. On a CPU batches
    # are slower.
    static_shapes: bool = False
    # What of the log the lexicon beside the model holds.
    lexicon: LexiconConfig = dataclasses.field(default_factory=LexiconConfig)

    def __post_init__(self) -> None:
        self.require(self.diversity_penalty >= 0, "diversity_penalty", ">= 0")
        self.require(
            len(self.similar_weights) == 3
            and min(self.similar_weights) >= 0
            and sum(self.similar_weights) > 0,
            "similar_weights",
            "three weights >= 0, not all zero",
            "Without any, every item is as similar as every other: give co-occurrence, "
            "tower cosine or title cosine a weight above 0.",
        )
        self.require(
            bool(self.warmup_batch_sizes) and min(self.warmup_batch_sizes) >= 1,
            "warmup_batch_sizes",
            "at least one size >= 1",
        )
        self.require(self.warmup_history >= 1, "warmup_history", ">= 1")
