from __future__ import annotations

from typing import Any

import pytest

from core.config.search_evaluation import SearchEvaluationConfig
from core.errors import ConfigError


def test_defaults_survive_json() -> None:
    config = SearchEvaluationConfig()
    assert SearchEvaluationConfig.from_json(config.to_json()) == config
    assert config.primary_metric == "ndcg@10"


@pytest.mark.parametrize(
    "changes",
    [
        {"k_values": ()},
        {"primary_k": 7},
        {"page_length": 15},
        {"page_length": 101},
        {"confidence": 1.0},
        {"max_searches": 0},
        {"num_example_pages": -1},
        {"bm25_b": 1.1},
    ],
)
def test_values_out_of_range_are_named(changes: dict[str, Any]) -> None:
    (name,) = changes
    with pytest.raises(ConfigError, match=name):
        SearchEvaluationConfig(**changes)
