"""RankerConfig refuses what no fit could use."""

from __future__ import annotations

from typing import Any

import pytest

from core.config.ranker import RankerConfig
from core.errors import ConfigError


def test_json_round_trip() -> None:
    config = RankerConfig(architectures=("mlp", "dcn"), event_weights=(0.1, 1.0))
    assert RankerConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    "wrong",
    [
        {"target_event": "sold"},
        {"event_weights": (0.0,)},
        {"architectures": ()},
        {"architectures": ("forest",)},
        {"hidden_units": ()},
        {"dropout": 1.0},
        {"sharing": "none"},
        {"score_head": "sum"},
        {"listwise_loss": "pairs"},
        {"calibration": "beta"},
        {"epochs": 0},
        {"learning_rate": 0.0},
        {"ema_decay": 1.0},
        {"choice_new": 1.5},
        {"other_events_weight": -0.1},
        {"rows_per_moment": 1},
        {"listwise_loss": "none", "pointwise_weight": 0.0},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_values_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="RankerConfig"):
        RankerConfig(**wrong)


@pytest.mark.parametrize(
    "untrained",
    [
        {"listwise_loss": "none"},
        {"listwise_loss": "none", "new_weight": 1.0},
        {"listwise_weight": 0.0},
    ],
)
def test_a_score_head_that_nothing_trains_is_refused(untrained: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="score_head: weighted"):
        RankerConfig(**untrained)
    # The score of the events' heads needs no loss of its own.
    RankerConfig(**untrained, score_head="weighted")


def test_the_loss_over_new_items_alone_trains_the_score_head() -> None:
    RankerConfig(listwise_weight=0.0, new_weight=1.0, pointwise_weight=0.0)
