"""Settings of the data steps check their ranges and survive JSON."""

from __future__ import annotations

from typing import Any

import pytest

from core.config.base import Config
from core.config.clean import CleanConfig
from core.config.moments import MomentConfig
from core.config.validation import ValidationConfig
from core.errors import ConfigError


@pytest.mark.parametrize("kind", [CleanConfig, MomentConfig, ValidationConfig])
def test_defaults_survive_json(kind: type[Config]) -> None:
    assert kind.from_json(kind().to_json()) == kind()


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (CleanConfig, {"bot_hours": 0}),
        (CleanConfig, {"price_min_ratio": 1.0}),
        (CleanConfig, {"latest_timestamp": 0}),
        (CleanConfig, {"outlier_deviations": 0.0}),
        (MomentConfig, {"session_gap_s": -1}),
        (MomentConfig, {"num_buckets": 0}),
        (ValidationConfig, {"max_number_drift": 0.0}),
        (ValidationConfig, {"max_rejected": 1.1}),
    ],
)
def test_values_out_of_range_are_named(
    kind: type[Config], changes: dict[str, Any]
) -> None:
    (name,) = changes
    with pytest.raises(ConfigError, match=name):
        kind(**changes)
