"""Every setting of a run, one concern each."""

from __future__ import annotations

import dataclasses

from core.config.base import Config
from core.config.bundle import BundleConfig
from core.config.clean import CleanConfig
from core.config.compress import CompressConfig
from core.config.evaluation import EvaluationConfig
from core.config.funnel import FunnelConfig
from core.config.gates import GatesConfig
from core.config.moments import MomentConfig
from core.config.neighbours import NeighboursConfig
from core.config.ranker import RankerConfig
from core.config.retriever import RetrieverConfig
from core.config.search import SearchConfig
from core.config.search_evaluation import SearchEvaluationConfig
from core.config.shop import ShopConfig
from core.config.splits import SplitConfig
from core.config.text_encoder import TextEncoderConfig
from core.config.transform import TransformConfig
from core.config.validation import ValidationConfig
from core.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class SoukConfig(Config):
    """What `create_pipeline` needs to know; whole settings are in core/presets.py."""

    shop: ShopConfig
    splits: SplitConfig
    clean: CleanConfig
    validation: ValidationConfig
    moments: MomentConfig
    transform: TransformConfig
    neighbours: NeighboursConfig
    retriever: RetrieverConfig
    funnel: FunnelConfig
    ranker: RankerConfig
    text_encoder: TextEncoderConfig
    search: SearchConfig
    search_ranker: RankerConfig
    compress: CompressConfig
    bundle: BundleConfig
    evaluation: EvaluationConfig
    search_evaluation: SearchEvaluationConfig
    gates: GatesConfig
    # One ranker trained on recommendation moments and search pages together, in place
    # of one for each (docs/search-training.md compares).
    joint_ranker: bool = False

    def __post_init__(self) -> None:
        counted = self.neighbours.popularity_days
        missing = sorted(set(self.funnel.popular_days) - set(counted))
        if missing:
            raise ConfigError(
                "`FunnelConfig.popular_days` must be among "
                f"`NeighboursConfig.popularity_days` {list(counted)}. "
                f"Received: {missing} beside them. Change both."
            )
