"""The Clean component: raw tables → clean catalogue and time-split events."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import channel, standard_artifacts
from tfx.types.component_spec import (
    ChannelParameter,
    ComponentSpec,
    ExecutionParameter,
)

from components import data_artifacts
from components.clean import executor
from core.config.clean import CleanConfig
from core.config.shop import ShopConfig
from core.config.splits import SplitConfig


class CleanSpec(ComponentSpec):  # type: ignore[misc]
    """One or two Examples in; two Examples, rejected rows and a summary out."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "shop": ExecutionParameter(type=str),
        "splits": ExecutionParameter(type=str),
        "config": ExecutionParameter(type=str),
        "adapter_rejected": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "raw_items": ChannelParameter(type=standard_artifacts.Examples),
        "raw_events": ChannelParameter(type=standard_artifacts.Examples, optional=True),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "items": ChannelParameter(type=standard_artifacts.Examples),
        "events": ChannelParameter(type=standard_artifacts.Examples),
        "rejected": ChannelParameter(type=data_artifacts.RejectedRows),
        "summary": ChannelParameter(type=data_artifacts.CleanSummary),
    }


class Clean(base_beam_component.BaseBeamComponent):  # type: ignore[misc]
    """Rejects, repairs, denormalizes and splits; docs/data-validation.md has the rules.

    Outputs:
      items: Examples, split `train`; row i is catalogue row i.
      events: Examples, splits `train`, `eval`, `test`; without rows where there is no
        log.
      rejected: RejectedRows.
      summary: CleanSummary.
    """

    SPEC_CLASS = CleanSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        items: channel.BaseChannel,
        events: channel.BaseChannel | None,
        shop: ShopConfig,
        splits: SplitConfig,
        config: CleanConfig | None = None,
        adapter_rejected: str = "",
    ):
        """Constructs the component.

        Args:
          items: Ingest's examples of `items`.
          events: Ingest's examples of `events`; None: the shop has no log.
          shop: event types and context columns.
          splits: T1 and T2.
          config: limits of the rules.
          adapter_rejected: path of the adapter's rejected.parquet, may be absent.
        """
        spec = CleanSpec(
            raw_items=items,
            raw_events=events,
            shop=shop.to_json(),
            splits=splits.to_json(),
            config=(config or CleanConfig()).to_json(),
            adapter_rejected=adapter_rejected,
            items=channel.Channel(type=standard_artifacts.Examples),
            events=channel.Channel(type=standard_artifacts.Examples),
            rejected=channel.Channel(type=data_artifacts.RejectedRows),
            summary=channel.Channel(type=data_artifacts.CleanSummary),
        )
        super().__init__(spec=spec)
