"""Bounds of the data gate: how far a new span may lie from the last accepted one."""

from __future__ import annotations

import dataclasses

from core.config.base import Config


@dataclasses.dataclass(frozen=True, kw_only=True)
class ValidationConfig(Config):
    """Bounds on drift (against the last accepted run) and skew (eval, test vs train).

    Prices are compared by the Jensen-Shannon divergence (0 .. 1) of their histograms by
    doubling, categories by the largest difference of a value's share (infinity norm).
    A bound that a person edits in the schema file wins over the one given here.
    """

    # Online Retail's last weeks differ from its train split by .01 (event_price) and
    # .03 (country). Of the demo's prices a third times ten gives .11, all doubled .12,
    # all times 1.2 .01, one item at 99,999 .03, a currency mistaken by 100 .98.
    max_number_drift: float = 0.1
    max_number_skew: float = 0.1
    max_category_drift: float = 0.2
    max_category_skew: float = 0.3
    # A column may lose at most this share of its values: since the last accepted run,
    # and in eval and test against train.
    max_presence_drop: float = 0.3
    # Share of a table's rows that cleaning may reject before the run stops.
    max_rejected: float = 0.5

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            self.require(0 < getattr(self, field.name) <= 1, field.name, "in (0, 1]")
