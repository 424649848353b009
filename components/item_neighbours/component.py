"""The ItemNeighbours component: clean items and events → item tables."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel, standard_artifacts
from tfx.types.component_spec import (
    ChannelParameter,
    ComponentSpec,
    ExecutionParameter,
)

from components.item_neighbours import executor
from components.item_neighbours.artifacts import ItemTablesArtifact
from core.config import ShopConfig, SplitConfig
from core.config.neighbours import NeighboursConfig


class ItemNeighboursSpec(ComponentSpec):  # type: ignore[misc]
    """Two Examples in, item tables out."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "shop": ExecutionParameter(type=str),
        "splits": ExecutionParameter(type=str),
        "config": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "items": ChannelParameter(type=standard_artifacts.Examples),
        "events": ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "tables": ChannelParameter(type=ItemTablesArtifact),
    }


class ItemNeighbours(base_component.BaseComponent):  # type: ignore[misc]
    """Neighbours, popularity, titles and query clicks as of every cut-off.

    Outputs:
      tables: ItemTablesArtifact, a folder `as_of=<cutoff seconds>` for each.
    """

    SPEC_CLASS = ItemNeighboursSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        items: channel.BaseChannel,
        events: channel.BaseChannel,
        shop: ShopConfig,
        splits: SplitConfig,
        config: NeighboursConfig | None = None,
    ):
        """Constructs the component.

        Args:
          items: Clean's items; their order is the catalogue order.
          events: Clean's events.
          shop: event types and target.
          splits: the cut-offs.
          config: sizes and scales of the tables.
        """
        super().__init__(
            spec=ItemNeighboursSpec(
                items=items,
                events=events,
                shop=shop.to_json(),
                splits=splits.to_json(),
                config=(config or NeighboursConfig()).to_json(),
                tables=channel.Channel(type=ItemTablesArtifact),
            )
        )
