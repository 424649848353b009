"""Bounds of the data gate: how far a new span may lie from the last accepted one."""

from __future__ import annotations

import dataclasses

from core.config.base import Config


@dataclasses.dataclass(frozen=True, kw_only=True)
class ValidationConfig(Config):
    """Bounds on drift (against the last accepted run) and skew (eval, test vs train).

    Numbers are compared by Jensen-Shannon divergence (0 .. 1), categories by the
    largest difference of a value's share (infinity norm). A bound that a person edits
    in the schema file wins over the one given here.
    """

    # Online Retail's last weeks differ from its train split by .19 (event_price) and
    # .03 (country); a currency mistaken by a factor of 100 gives .96.
    max_number_drift: float = 0.4
    max_number_skew: float = 0.4
    max_category_drift: float = 0.2
    max_category_skew: float = 0.3
    # An optional column may lose at most this share of its values.
    max_presence_drop: float = 0.3
    # Share of a table's rows that cleaning may reject before the run stops.
    max_rejected: float = 0.5

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            self.require(0 < getattr(self, field.name) <= 1, field.name, "in (0, 1]")
