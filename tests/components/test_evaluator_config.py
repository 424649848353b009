"""TFMA's thresholds are those of the settings."""

from __future__ import annotations

import pytest

from components.evaluator_config import build_eval_config
from core import presets
from core.config import ShopConfig, SplitConfig

SHOP = ShopConfig(name="small", context_features=("country",))


@pytest.mark.parametrize(
    ("settings", "least", "change"),
    [({}, 0.6, -0.02), ({"min_auc": 0.55, "max_auc_drop": 0.1}, 0.55, -0.1)],
)
def test_bounds_of_auc_are_settings(
    settings: dict[str, float], least: float, change: float
) -> None:
    full = presets.for_shop(SHOP, SplitConfig(test_start=1_700_000_000))
    full = presets.with_settings(full, {"evaluation": settings})

    built = build_eval_config(full.shop, full.evaluation)

    metrics = {m.class_name: m for m in built.metrics_specs[0].metrics}
    (overall,) = metrics["AreaUnderCurve"].per_slice_thresholds
    assert overall.threshold.value_threshold.lower_bound.value == least
    assert overall.threshold.change_threshold.absolute.value == change
