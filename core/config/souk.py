"""Every setting of a run, one concern each."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from core.config.base import Config
from core.config.bundle import BundleConfig
from core.config.clean import CleanConfig
from core.config.compress import CompressConfig
from core.config.evaluation import EvaluationConfig
from core.config.funnel import FunnelConfig
from core.config.gates import BASELINES, SEARCH_BASELINES, GatesConfig
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
        self._check_events()
        _require_some_of(
            "transform.context_features",
            self.transform.context_features,
            self.shop.context_features,
        )
        _require_some_of(
            "retriever.context_features",
            self.retriever.context_features,
            self.transform.context_features,  # what it reads Transform has made
        )
        _require_some_of("gates.must_beat", self.gates.must_beat, BASELINES)
        _require_some_of(
            "gates.search_must_hold", self.gates.search_must_hold, SEARCH_BASELINES
        )

    def _check_events(self) -> None:
        """What must fit the event types that the shop has."""
        types = self.shop.event_types
        # The search ranker takes its target from what pages led to.
        _require_some_of("ranker.target_event", (self.ranker.target_event,), types)
        for name, of in (
            ("transform", self.transform.event_types),
            ("retriever", self.retriever.event_types),
        ):
            if of != types:
                raise ConfigError(
                    f"`{name}.event_types` must be the shop's, {list(types)}. "
                    f"Received: {list(of)}. Leave it out."
                )
        for name, weights, may_be_empty in (
            ("ranker", self.ranker.event_weights, True),
            ("retriever", self.retriever.event_weights, False),
        ):
            if len(weights) != len(types) and (weights or not may_be_empty):
                raise ConfigError(
                    f"`{name}.event_weights` must hold one weight for each of the "
                    f"shop's event types, {list(types)}. Received: {list(weights)}. "
                    f"Give {len(types)}."
                )


def _require_some_of(name: str, values: Sequence[str], allowed: Sequence[str]) -> None:
    unknown = [value for value in values if value not in allowed]
    if unknown:
        raise ConfigError(
            f"`{name}` must be of {', '.join(allowed) or 'nothing, there is none'}. "
            f"Received: {', '.join(unknown)}. Take it out or name another."
        )
