"""The Bundle component: trained parts → the one SavedModel that is served."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel, standard_artifacts
from tfx.types.component_spec import (
    ChannelParameter,
    ComponentSpec,
    ExecutionParameter,
)

from components.bundle import executor
from components.compress.artifacts import CompressionFacts
from components.item_neighbours.artifacts import ItemTablesArtifact
from components.mine_negatives.artifacts import CandidatesArtifact
from components.text_encoder.artifacts import ItemVectorsArtifact
from core.config import ShopConfig, SplitConfig
from core.config.bundle import BundleConfig
from core.config.compress import CompressConfig
from core.config.funnel import FunnelConfig
from core.config.search import SearchConfig


class BundleSpec(ComponentSpec):  # type: ignore[misc]
    """Items, events, tables and two models in; one model out."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "shop": ExecutionParameter(type=str),
        "splits": ExecutionParameter(type=str),
        "funnel": ExecutionParameter(type=str),
        "bundle": ExecutionParameter(type=str),
        "search": ExecutionParameter(type=str),
        "compress": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "items": ChannelParameter(type=standard_artifacts.Examples),
        "events": ChannelParameter(type=standard_artifacts.Examples),
        "tables": ChannelParameter(type=ItemTablesArtifact),
        "retriever": ChannelParameter(type=standard_artifacts.Model),
        "ranker": ChannelParameter(type=standard_artifacts.Model),
        "candidates": ChannelParameter(type=CandidatesArtifact),
        "text_encoder": ChannelParameter(type=standard_artifacts.Model, optional=True),
        "item_vectors": ChannelParameter(type=ItemVectorsArtifact, optional=True),
        "search_candidates": ChannelParameter(type=CandidatesArtifact, optional=True),
        "search_ranker": ChannelParameter(type=standard_artifacts.Model, optional=True),
        "compressed_ranker": ChannelParameter(
            type=standard_artifacts.Model, optional=True
        ),
        "compressed_search_ranker": ChannelParameter(
            type=standard_artifacts.Model, optional=True
        ),
        "compression": ChannelParameter(type=CompressionFacts, optional=True),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "uncompressed": ChannelParameter(type=standard_artifacts.Model, optional=True),
    }


class Bundle(base_component.BaseComponent):  # type: ignore[misc]
    """Puts towers, item tables, ranker and catalogue into one SavedModel.

    Outputs:
      model: Model; warm-up requests and the lexicon in `assets.extra`, metadata in
        `souk.json`.
      uncompressed: Model, only with compression: the bundle of the same parts as they
        were trained, to compare with.
    """

    SPEC_CLASS = BundleSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        *,
        items: channel.BaseChannel,
        events: channel.BaseChannel,
        tables: channel.BaseChannel,
        retriever: channel.BaseChannel,
        ranker: channel.BaseChannel,
        candidates: channel.BaseChannel,
        shop: ShopConfig,
        splits: SplitConfig,
        funnel: FunnelConfig,
        config: BundleConfig,
        search: SearchConfig | None = None,
        text_encoder: channel.BaseChannel | None = None,
        item_vectors: channel.BaseChannel | None = None,
        search_candidates: channel.BaseChannel | None = None,
        search_ranker: channel.BaseChannel | None = None,
        compress: CompressConfig | None = None,
        compressed_ranker: channel.BaseChannel | None = None,
        compressed_search_ranker: channel.BaseChannel | None = None,
        compression: channel.BaseChannel | None = None,
    ):
        """Constructs the component.

        Args:
          items: Clean's catalogue.
          events: Clean's events, for suggestions and spelling.
          tables: ItemNeighbours' tables; those as of T2 are served.
          retriever: the two-tower SavedModel.
          ranker: the ranker SavedModel.
          candidates: MineNegatives' rows, which hold the first stage's weights.
          shop: event types and context features.
          splits: T2.
          funnel: as the ranker's rows were mined with.
          config: diversity, `similar`, warm-up.
          search: as the search ranker's rows were mined with.
          text_encoder: TextEncoder's model; None: a bundle without `search`.
          item_vectors: TextEncoder's vectors of the catalogue.
          search_candidates: MineSearches' output.
          search_ranker: the SearchRanker's model.
          compress: None or not enabled: `model` is as trained.
          compressed_ranker, compressed_search_ranker, compression: Compress's outputs.
        """
        settings = compress or CompressConfig()
        outputs = {"model": channel.Channel(type=standard_artifacts.Model)}
        if settings.enabled:
            outputs["uncompressed"] = channel.Channel(type=standard_artifacts.Model)
        super().__init__(
            spec=BundleSpec(
                items=items,
                events=events,
                tables=tables,
                retriever=retriever,
                ranker=ranker,
                candidates=candidates,
                shop=shop.to_json(),
                splits=splits.to_json(),
                funnel=funnel.to_json(),
                bundle=config.to_json(),
                search=(search or SearchConfig()).to_json(),
                text_encoder=text_encoder,
                item_vectors=item_vectors,
                search_candidates=search_candidates,
                search_ranker=search_ranker,
                compress=settings.to_json(),
                compressed_ranker=compressed_ranker,
                compressed_search_ranker=compressed_search_ranker,
                compression=compression,
                **outputs,
            )
        )
