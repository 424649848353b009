"""The answer of one gate."""

from __future__ import annotations

import dataclasses
from typing import Any


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


def skipped(gate: str, reason: str) -> Verdict:
    """A verdict of a gate that had nothing to judge."""
    return Verdict(gate=gate, passed=True, message=reason, skipped=True)
