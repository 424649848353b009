"""The answer of one gate."""

from __future__ import annotations

import dataclasses
from typing import Any

_MAX_DIGITS = 15  # a double has no more


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """One gate's answer; `value` and `bound` are what was compared, where numeric."""

    gate: str
    passed: bool
    message: str
    value: float | None = None
    bound: float | None = None
    skipped: bool = False  # there was nothing to compare with; counts as passed

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def digits_apart(value: float, bound: float, least: int) -> int:
    """Digits after the point that tell a value from its bound, `least` where equal.

    Rounding keeps their order: what is refused then reads beyond its bound.
    """
    if value == bound:
        return least
    apart = (
        digits
        for digits in range(least, _MAX_DIGITS)
        if f"{value:.{digits}f}" != f"{bound:.{digits}f}"
    )
    return next(apart, _MAX_DIGITS)


def skipped(gate: str, reason: str) -> Verdict:
    """A verdict of a gate that had nothing to judge."""
    return Verdict(gate=gate, passed=True, message=reason, skipped=True)
