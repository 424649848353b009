"""Retriever, bundle, evaluation and gates refuse bad settings before any training."""

from __future__ import annotations

from typing import Any

import pytest

from core.config.base import Config
from core.config.bundle import BundleConfig
from core.config.evaluation import EvaluationConfig
from core.config.gates import GatesConfig
from core.config.retriever import RetrieverConfig
from core.errors import ConfigError


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (RetrieverConfig, {"event_weights": (0.0,)}),  # nothing to learn from
        (RetrieverConfig, {"event_weights": (-1.0,)}),
        (RetrieverConfig, {"learning_rate": 0.0}),
        (RetrieverConfig, {"learning_rate": -0.03}),
        (EvaluationConfig, {"knn_neighbours": 0}),
        (EvaluationConfig, {"knn_neighbours": -3}),
        (EvaluationConfig, {"top_context_values": -1}),
        (EvaluationConfig, {"num_example_pages": -1}),
        (BundleConfig, {"similar_weights": (0.0, 0.0, 0.0)}),  # all alike
        (BundleConfig, {"similar_weights": (1.0, -0.3, 0.5)}),
    ],
)
def test_values_out_of_range_are_named(
    kind: type[Config], changes: dict[str, Any]
) -> None:
    (name,) = changes
    with pytest.raises(ConfigError, match=name):
        kind(**changes)


def test_a_latency_that_nothing_measures_is_no_bound() -> None:
    with pytest.raises(ConfigError, match=r"max_latency_ms.*check_serving: true"):
        GatesConfig(check_serving=False, max_latency_ms=5.0)
    assert GatesConfig(check_serving=False).max_latency_ms is None


def test_no_context_slices_and_no_example_pages_may_be_asked_for() -> None:
    config = EvaluationConfig(top_context_values=0, num_example_pages=0)
    assert EvaluationConfig.from_json(config.to_json()) == config
