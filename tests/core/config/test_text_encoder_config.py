"""Modes and presets of the text encoder's settings."""

from __future__ import annotations

import pytest

from core.config.text_encoder import TextEncoderConfig
from core.errors import ConfigError


def test_a_preset_is_fine_tuned_with_adapters_unless_told() -> None:
    assert TextEncoderConfig().train_mode == "scratch"
    assert TextEncoderConfig(preset="folder").train_mode == "lora"
    assert TextEncoderConfig(preset="folder", mode="frozen").train_mode == "frozen"


@pytest.mark.parametrize(
    "settings",
    [
        {"mode": "lora"},  # of what?
        {"mode": "scratch", "preset": "folder"},
        {"mode": "none"},
        {"hidden_dim": 100, "num_heads": 3},
        {"hidden_dim": 0},
        {"max_query_tokens": 2},
        {"temperature": 0.0},
        {"time_budget_s": 0.0},
    ],
)
def test_settings_out_of_range_are_refused(settings: dict) -> None:
    with pytest.raises(ConfigError):
        TextEncoderConfig(**settings)


def test_settings_survive_json() -> None:
    config = TextEncoderConfig.pretrained("folder", "full")
    assert TextEncoderConfig.from_json(config.to_json()) == config
