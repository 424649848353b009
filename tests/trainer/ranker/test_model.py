"""Where a new ranker's heads start."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras

from core.config.ranker import RankerConfig
from trainer.ranker.model import build_ranker

EVENTS = ("view", "purchase")
ROWS = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)


@pytest.mark.parametrize("sharing", ["shared_bottom", "mmoe"])
def test_event_heads_start_near_their_rates(sharing: str) -> None:
    config = RankerConfig(hidden_units=(8, 4), num_experts=2, sharing=sharing)
    model = build_ranker(
        num_features=6,
        event_types=EVENTS,
        config=config,
        architecture="dcn",
        event_rates=(0.2, 0.01),
    )
    # Glorot's weights of a head of 4 hidden and 6 crossed inputs are up to
    # sqrt(6 / (10 + 1)) = .74; 4 p (1 - p) of that is .64 and .0396 times as much.
    for name, bias, most in (
        ("score", 0.0, 0.74),
        ("view", np.log(1 / 4), 0.473),
        ("purchase", np.log(1 / 99), 0.0293),
    ):
        kernel, found = _head(model, name)
        assert found == pytest.approx(bias)
        assert most / 3 < np.abs(kernel).max() < most


def _head(model: tf_keras.Model, name: str) -> list[np.ndarray]:
    return model.get_layer(f"head_{name}").get_weights()


def test_an_event_of_no_row_or_of_every_row_leaves_logits_finite() -> None:
    model = build_ranker(
        num_features=6,
        event_types=EVENTS,
        config=RankerConfig(hidden_units=(4,), score_head="weighted"),
        architecture="mlp",
        event_rates=(1.0, 0.0),
    )
    every, never = (1 / (1 + np.exp(-model(ROWS).numpy()))).T
    assert np.all((never > 0) & (never < 1e-4))
    assert np.all((every > 1 - 1e-4) & (every < 1))
