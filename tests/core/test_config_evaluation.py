from __future__ import annotations

import pytest

from core.config.evaluation import EvaluationConfig
from core.config.gates import GatesConfig
from core.errors import ConfigError


@pytest.mark.parametrize("config", [EvaluationConfig(), GatesConfig(max_size_mb=10)])
def test_round_trip(config):
    assert type(config).from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: EvaluationConfig(k_values=(5, 10)), "primary_k"),
        (lambda: EvaluationConfig(k_values=(20, 200)), "at most 100"),
        (lambda: EvaluationConfig(activity_edges=(5, 5)), "ascending"),
        (lambda: EvaluationConfig(activity_edges=()), "one or more"),
        (lambda: EvaluationConfig(min_auc=1.1), "min_auc` must be 0 .. 1"),
        (lambda: EvaluationConfig(max_auc_drop=-0.1), "max_auc_drop` must be 0 .. 1"),
        (lambda: GatesConfig(min_coverage=1.5), "0 .. 1"),
        (lambda: GatesConfig(max_latency_ms=0.0), "or None"),
    ],
)
def test_values_out_of_range_are_named(make, words):
    with pytest.raises(ConfigError, match=words):
        make()
