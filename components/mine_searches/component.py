"""The MineSearches component: search pages → the search ranker's rows."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import channel, standard_artifacts
from tfx.types.component_spec import (
    ChannelParameter,
    ComponentSpec,
    ExecutionParameter,
)

from components.item_neighbours.artifacts import ItemTablesArtifact
from components.mine_negatives.artifacts import CandidatesArtifact
from components.mine_searches import executor
from components.text_encoder.artifacts import ItemVectorsArtifact
from core.config import ShopConfig
from core.config.funnel import FunnelConfig
from core.config.search import SearchConfig


class MineSearchesSpec(ComponentSpec):  # type: ignore[misc]
    """Pages, tables, text encoder in; candidates out."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "shop": ExecutionParameter(type=str),
        "funnel": ExecutionParameter(type=str),
        "search": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "items": ChannelParameter(type=standard_artifacts.Examples),
        "searches": ChannelParameter(type=standard_artifacts.Examples),
        "tables": ChannelParameter(type=ItemTablesArtifact),
        "text_encoder": ChannelParameter(type=standard_artifacts.Model),
        "item_vectors": ChannelParameter(type=ItemVectorsArtifact),
        "candidates": ChannelParameter(type=CandidatesArtifact),
        "retriever": ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "search_candidates": ChannelParameter(type=CandidatesArtifact),
    }


class MineSearches(base_beam_component.BaseBeamComponent):  # type: ignore[misc]
    """Retrieves candidates of every search page, labels, computes features; on Beam.

    Outputs:
      search_candidates: CandidatesArtifact with splits `train`, `eval`.
    """

    SPEC_CLASS = MineSearchesSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        *,
        items: channel.BaseChannel,
        searches: channel.BaseChannel,
        tables: channel.BaseChannel,
        text_encoder: channel.BaseChannel,
        item_vectors: channel.BaseChannel,
        candidates: channel.BaseChannel,
        retriever: channel.BaseChannel,
        shop: ShopConfig,
        funnel: FunnelConfig,
        search: SearchConfig,
    ):
        """Constructs the component.

        Args:
          items: Clean's catalogue.
          searches: JoinHistory's search pages.
          tables: ItemNeighbours' tables and query clicks.
          text_encoder: TextEncoder's SavedModel.
          item_vectors: its vectors of the catalogue.
          candidates: MineNegatives' output, for the personal first stage's weights.
          retriever: the two towers, which find candidates by words and person.
          shop: event types and context.
          funnel: as MineNegatives has it.
          search: sizes, gains, weights.
        """
        super().__init__(
            spec=MineSearchesSpec(
                items=items,
                searches=searches,
                tables=tables,
                text_encoder=text_encoder,
                item_vectors=item_vectors,
                candidates=candidates,
                retriever=retriever,
                shop=shop.to_json(),
                funnel=funnel.to_json(),
                search=search.to_json(),
                search_candidates=channel.Channel(type=CandidatesArtifact),
            )
        )
