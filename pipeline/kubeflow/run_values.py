"""Settings that Prepare decides on at run time, by the name of its output parameter.

The compiler replaces every parameter of a task that equals one of these values, so that
a run with another date or other gates needs no other spec.
"""

from __future__ import annotations

from core.config.gates import GatesConfig
from core.config.souk import SoukConfig

TABLES = ("items", "events", "judgments")
# The only number among them: what TextEncoder must not look past.
BEFORE = "before"


def compiled_in(config: SoukConfig) -> SoukConfig:
    """The settings that no run may change: blank are name, date and gates.

    Tasks hold them as constants, so a run with others would mix the two.
    """
    return config.replace(
        shop=config.shop.replace(name=""),
        splits=config.splits.replace(test_start=1),
        gates=GatesConfig(),
    )


def of(config: SoukConfig) -> dict[str, str | int]:
    """The values of one run; in JSON, as components take their settings."""
    splits = config.splits
    return {
        "config": config.to_json(),
        "shop_settings": config.shop.to_json(),
        "splits": splits.to_json(),
        "gate_settings": config.gates.to_json(),
        BEFORE: splits.eval_start if config.shop.has_events else splits.test_start,
    }
