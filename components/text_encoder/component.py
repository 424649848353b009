"""The TextEncoder component: items and events → encoder and item vectors."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import channel, standard_artifacts
from tfx.types.component_spec import (
    ChannelParameter,
    ComponentSpec,
    ExecutionParameter,
)

from components.text_encoder import executor
from components.text_encoder.artifacts import ItemVectorsArtifact
from core.config.text_encoder import TextEncoderConfig


class TextEncoderSpec(ComponentSpec):  # type: ignore[misc]
    """Examples in; a SavedModel and vectors out."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "config": ExecutionParameter(type=str),
        "before": ExecutionParameter(type=int),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "items": ChannelParameter(type=standard_artifacts.Examples),
        "events": ChannelParameter(type=standard_artifacts.Examples, optional=True),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "item_vectors": ChannelParameter(type=ItemVectorsArtifact),
    }


class TextEncoder(base_beam_component.BaseBeamComponent):  # type: ignore[misc]
    """Trains (or loads and adapts) the text encoder; embeds the catalogue on Beam.

    Outputs:
      model: SavedModel with `embed_queries` and `embed_items`; `text_encoder.json`.
      item_vectors: ItemVectorsArtifact, catalogue order.
    """

    SPEC_CLASS = TextEncoderSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        items: channel.BaseChannel,
        *,
        before: int,
        events: channel.BaseChannel | None = None,
        config: TextEncoderConfig | None = None,
    ):
        """Constructs the component.

        Args:
          items: Clean's items; their order is the catalogue order.
          before: seconds UTC, as a rule T2: later events are never looked at.
          events: Clean's events; without searches, titles stand in (from scratch).
          config: sizes, training, preset.
        """
        super().__init__(
            spec=TextEncoderSpec(
                items=items,
                events=events,
                config=(config or TextEncoderConfig()).to_json(),
                before=before,
                model=channel.Channel(type=standard_artifacts.Model),
                item_vectors=channel.Channel(type=ItemVectorsArtifact),
            )
        )
