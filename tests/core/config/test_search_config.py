"""SearchConfig: its JSON, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from core.config.lexical import LexicalConfig
from core.config.search import SearchConfig
from core.errors import ConfigError


def test_json_keeps_every_setting() -> None:
    config = SearchConfig(
        lexical=LexicalConfig(k1=2.0), event_gains=(0.5, 1.0, 3.0), num_candidates=9
    )
    assert SearchConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_candidates", 0),
        ("lexical_candidates", 0),
        ("dense_candidates", -1),
        ("rrf_k", 0),
        ("max_rows_per_page", 0),
        ("fusion_epochs", 0),
        ("max_click_weight", 0.5),
        ("event_gains", (1.0, -1.0, 2.0)),
        ("event_gains", (1.0, 2.0)),
        ("event_gains", (0.0, 0.0, 0.0)),  # no page to learn from
        ("fusion_l2", -1.0),
    ],
)
def test_settings_out_of_range_are_named(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=name):
        SearchConfig(**{name: value})
