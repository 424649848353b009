"""The MineNegatives component: moments and item tables → the ranker's rows."""

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
from components.mine_negatives import executor
from components.mine_negatives.artifacts import CandidatesArtifact
from core.config import ShopConfig
from core.config.funnel import FunnelConfig


class MineNegativesSpec(ComponentSpec):  # type: ignore[misc]
    """Moments, tables and an optional retriever in; candidates out."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "shop": ExecutionParameter(type=str),
        "config": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "moments": ChannelParameter(type=standard_artifacts.Examples),
        "tables": ChannelParameter(type=ItemTablesArtifact),
        "retriever": ChannelParameter(type=standard_artifacts.Model, optional=True),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "candidates": ChannelParameter(type=CandidatesArtifact),
    }


class MineNegatives(base_beam_component.BaseBeamComponent):  # type: ignore[misc]
    """Retrieves candidates for every moment, labels them, computes features; on Beam.

    Outputs:
      candidates: CandidatesArtifact with splits `train`, `recent`, `eval`.
    """

    SPEC_CLASS = MineNegativesSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        moments: channel.BaseChannel,
        tables: channel.BaseChannel,
        shop: ShopConfig,
        config: FunnelConfig | None = None,
        retriever: channel.BaseChannel | None = None,
    ):
        """Constructs the component.

        Args:
          moments: JoinHistory's examples.
          tables: ItemNeighbours' tables.
          shop: event types and context.
          config: size of the funnel, its first stage, rows per moment.
          retriever: a Trainer's model.
        """
        super().__init__(
            spec=MineNegativesSpec(
                moments=moments,
                tables=tables,
                retriever=retriever,
                shop=shop.to_json(),
                config=(config or FunnelConfig()).to_json(),
                candidates=channel.Channel(type=CandidatesArtifact),
            )
        )
