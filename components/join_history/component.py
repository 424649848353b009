"""The JoinHistory component: clean events → moments and search pages."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import channel, standard_artifacts
from tfx.types.component_spec import (
    ChannelParameter,
    ComponentSpec,
    ExecutionParameter,
)

from components.join_history import executor
from core.config.moments import MomentConfig
from core.config.shop import ShopConfig
from core.config.splits import SplitConfig


class JoinHistorySpec(ComponentSpec):  # type: ignore[misc]
    """Events in, moments and search pages out."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "splits": ExecutionParameter(type=str),
        "config": ExecutionParameter(type=str),
        "event_types": ExecutionParameter(type=str),
        "context_features": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "events": ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "moments": ChannelParameter(type=standard_artifacts.Examples),
        "searches": ChannelParameter(type=standard_artifacts.Examples),
    }


class JoinHistory(base_beam_component.BaseBeamComponent):  # type: ignore[misc]
    """Makes moments (core/features.py) at the cut-offs and at sampled sessions.

    Outputs:
      moments: Examples, splits `train`, `recent`, `eval`, `test`, `next_train`,
        `next_eval`.
      searches: Examples of search pages, splits `train`, `eval`, `test`; without rows
        where no event has a query.
    """

    SPEC_CLASS = JoinHistorySpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        events: channel.BaseChannel,
        shop: ShopConfig,
        splits: SplitConfig,
        config: MomentConfig | None = None,
    ):
        """Constructs the component.

        Args:
          events: Clean's events.
          shop: its context columns travel with each moment; its event types tell what
            is known of the items that a search showed.
          splits: cut-offs, horizon, history length, sessions per user.
          config: sessions, search pages and sampling.
        """
        spec = JoinHistorySpec(
            events=events,
            splits=splits.to_json(),
            config=(config or MomentConfig()).to_json(),
            event_types=json.dumps(list(shop.event_types)),
            context_features=json.dumps(list(shop.context_features)),
            moments=channel.Channel(type=standard_artifacts.Examples),
            searches=channel.Channel(type=standard_artifacts.Examples),
        )
        super().__init__(spec=spec)
