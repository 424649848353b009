"""The gate on search_metrics.json: not below the baseline of the same run."""

from __future__ import annotations

from typing import Any

from components.gates.verdict import Verdict, digits_apart, skipped
from core.config.gates import GatesConfig

_BUNDLE = "bundle"
_PART, _TRUTH = "judged", "graded"


def check_search(metrics: dict[str, Any], config: GatesConfig) -> list[Verdict]:
    """One verdict per system that the bundle's search must not fall below.

    Args:
      metrics: content of search_metrics.json. Without judged queries there is nothing
        to compare on, and the gate is skipped with the reason.
      config: `search_must_hold`.
    """
    return [_holds(metrics, name) for name in config.search_must_hold]


def _holds(metrics: dict[str, Any], baseline: str) -> Verdict:
    gate = f"search holds the level of {baseline}"
    part = metrics[_PART]
    if not part:
        return skipped(gate, metrics["absent"][_PART])
    systems = part[_TRUTH]["systems"]
    if baseline not in systems:
        message = f"search_metrics.json has no system {baseline}."
        return Verdict(gate=gate, passed=False, message=message)
    name = metrics["primary_metric"]
    ours, theirs = (float(systems[s][name]["value"]) for s in (_BUNDLE, baseline))
    gain = part[_TRUTH]["differences"][baseline].get(name)
    span = f", difference {gain['low']:+.4f} to {gain['high']:+.4f}" if gain else ""
    digits = digits_apart(ours, theirs, 4)
    return Verdict(
        gate=gate,
        passed=ours >= theirs,
        value=ours,
        bound=theirs,
        message=f"{name} {ours:.{digits}f} against {theirs:.{digits}f}{span}.",
    )
