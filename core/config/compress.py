"""How much smaller the served bundle is made than the one that was trained."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from core.config.base import Config
from core.config.funnel import FunnelConfig
from core.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class CompressConfig(Config):
    """Storage of tables, pruning and quantization of the rankers.

    Numbers without another source come from docs/compression.md's sweep.
    """

    # A quarter of the size for a longer run, since two bundles are built and measured:
    # on demand (`souk run --compress`).
    enabled: bool = False
    # Float arrays as 8-bit codes with scales; False stores them as they are.
    quantize: bool = True
    # Neighbours kept per item, the highest of all sources together; 0: all. NDCG@20 of
    # the demo's test split, all / new, with 420: +.2 % / -.4 %, with all: +.05 / +.1.
    num_neighbours: int = 480
    # Candidates that the compressed bundle ranks, never more than the funnel's settings
    # have; 0: as many.
    num_candidates: int = 0
    # Columns of a neighbour list that share a scale.
    block: int = 30
    # What requests read whole (matrices to multiply with) becomes float once, at load,
    # where it is at most this large; larger arrays at each use, for that use.
    expand_mb: float = 8.0
    # Products with larger matrices in bfloat16, for GPUs with tensor cores; on a CPU
    # they are slower.
    bfloat16_products: bool = False

    # The rankers, TF-MOT.
    # Share of each kernel's weights that magnitude pruning sets to 0, by shell pattern
    # of the layer's name; the first that fits counts, a layer that none fits stays.
    # Half, the first choice, is within the gate's .5 % as well, but by less than twice
    # the standard error of what it asks (docs/compression.md).
    sparsity: tuple[str, ...] = ("trunk_*=0.3", "bottom_*=0.3", "expert_*=0.3")
    # 2 zeros in each 4 weights, as sparse tensor cores want them, instead.
    two_of_four: bool = False
    # Share of a hidden layer's neurons that stay, the most important; 1: all.
    kept_neurons: float = 1.0
    # Quantization-aware fine-tuning that keeps the zeros.
    quantization_aware: bool = True
    # What fine-tuning learns from: the uncompressed ranker's order of each list, its
    # probabilities of each event, and what people did. Labels once more teach the
    # lists of candidates alone: off them, AUC fell by .011 to .015 on the demo's
    # validation, while the teacher alone keeps it (docs/compression.md).
    distillation_weight: float = 1.0
    probability_weight: float = 1.0
    label_weight: float = 0.0
    # Epochs after neurons are dropped; while weights are pruned; quantization-aware.
    recovery_epochs: int = 2
    pruning_epochs: int = 3
    quantization_epochs: int = 1
    # Share of the ranker's own learning rate: slow, to stay near the teacher.
    learning_rate_share: float = 0.25
    # A smaller ranker that loses more than this on the eval moments is not taken, and
    # the one that was trained is: percent of NDCG, all or new items (the gates ask the
    # same of pages), and AUC of any event (half of what TFMA's gate lets through) of
    # the ranker whose probabilities `rank` serves, which the search ranker's are not.
    max_ndcg_drop_percent: float = 0.5
    max_auc_drop: float = 0.01

    def __post_init__(self) -> None:
        self.require(self.num_neighbours >= 0, "num_neighbours", ">= 0 (0: all)")
        self.require(self.num_candidates >= 0, "num_candidates", ">= 0 (0: as is)")
        self.require(self.block >= 1, "block", ">= 1")
        self.require(self.expand_mb >= 0, "expand_mb", ">= 0 (0: at each use)")
        self.require(0 < self.kept_neurons <= 1, "kept_neurons", "in (0, 1]")
        weights = ("distillation_weight", "probability_weight", "label_weight")
        for name in weights:
            self.require(getattr(self, name) >= 0, name, ">= 0")
        self.require(
            any(getattr(self, name) for name in weights),
            "label_weight",
            "> 0 where no teacher has a weight",
        )
        self.require(0 < self.learning_rate_share <= 1, "learning_rate_share", "(0, 1]")
        for name in ("max_ndcg_drop_percent", "max_auc_drop"):
            self.require(getattr(self, name) >= 0, name, ">= 0")
        for name in ("recovery_epochs", "pruning_epochs", "quantization_epochs"):
            self.require(getattr(self, name) >= 1, name, ">= 1")
        self.require(
            all(0 <= share < 1 for _, share in self.layer_sparsity),
            "sparsity",
            "PATTERN=SHARE with a share in [0, 1)",
        )

    @classmethod
    def read(cls, path: Path) -> CompressConfig:
        """The settings of a JSON file; what it leaves out has its default.

        Raises:
          ConfigError: no file, no JSON, or settings that are unknown or out of range.
        """
        try:
            return cls.from_json(path.read_text("utf-8"))
        except (OSError, ValueError, TypeError, AttributeError, ConfigError) as error:
            raise ConfigError(
                f"{path} must hold settings of `CompressConfig` as a JSON object, as "
                f"`make bench-compress-sweep` leaves them. Received: {error}"
            ) from error

    @property
    def changes_rankers(self) -> bool:
        """Whether anything is to be done beside how arrays are stored."""
        pruned = any(share for _, share in self.layer_sparsity)
        return pruned or self.kept_neurons < 1 or self.quantization_aware

    @property
    def layer_sparsity(self) -> tuple[tuple[str, float], ...]:
        """Pattern and share of each rule."""
        return tuple(self._rule(text) for text in self.sparsity)

    def funnel(self, config: FunnelConfig) -> FunnelConfig:
        """The funnel's settings with the compressed bundle's number of candidates."""
        if not self.num_candidates:
            return config
        fewer = min(self.num_candidates, config.num_candidates)
        return config.replace(num_candidates=fewer)

    def _rule(self, text: str) -> tuple[str, float]:
        pattern, _, share = text.partition("=")
        try:
            return pattern, float(share)
        except ValueError:
            self.require(False, "sparsity", "PATTERN=SHARE, as trunk_*=0.5")
            raise
