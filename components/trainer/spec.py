"""Contract of FunnelTrainer: the Trainer's, and the funnel's own artifacts."""

from __future__ import annotations

from typing import Any

from tfx.types import standard_artifacts, standard_component_specs
from tfx.types.channel import BaseChannel
from tfx.types.component_spec import ChannelParameter

# Inputs beyond the Trainer's; where they lie reaches run_fn as custom_config["uris"].
EXTRA_INPUTS = (
    "items",
    "moments",
    "searches",
    "candidates",
    "search_candidates",
    "tables",
    "retriever",
    "text_encoder",
    "item_vectors",
)


class FunnelTrainerSpec(standard_component_specs.TrainerSpec):  # type: ignore[misc]
    """TrainerSpec with `examples` optional."""

    INPUTS = {
        **standard_component_specs.TrainerSpec.INPUTS,
        standard_component_specs.EXAMPLES_KEY: ChannelParameter(
            type=standard_artifacts.Examples, optional=True
        ),
    }


def spec_with(extra_inputs: dict[str, BaseChannel]) -> Any:
    """A FunnelTrainerSpec class with one more input per channel, of its own type."""
    inputs = {
        name: ChannelParameter(type=channel.type)
        for name, channel in extra_inputs.items()
    }
    members = {"INPUTS": {**FunnelTrainerSpec.INPUTS, **inputs}}
    return type("FunnelTrainerSpec", (FunnelTrainerSpec,), members)
