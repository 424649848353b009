from __future__ import annotations

import pytest

from components.gates.check_search import check_search
from core.config.gates import GatesConfig


def _metrics(bundle: float = 0.6, bm25: float = 0.5) -> dict:
    systems = {"bundle": bundle, "bm25": bm25}
    return {
        "primary_metric": "ndcg@10",
        "absent": {"logged": "The shop has no events."},
        "judged": {
            "graded": {
                "systems": {n: {"ndcg@10": {"value": v}} for n, v in systems.items()},
                "differences": {"bm25": {"ndcg@10": {"low": 0.01, "high": 0.2}}},
            }
        },
    }


@pytest.mark.parametrize(("value", "passed"), [(0.4999, False), (0.5, True)])
def test_search_must_not_fall_below_bm25(value: float, passed: bool) -> None:
    (verdict,) = check_search(_metrics(bundle=value), GatesConfig())
    assert verdict.passed is passed
    assert (verdict.value, verdict.bound) == (value, 0.5)
    assert "+0.0100 to +0.2000" in verdict.message


def test_without_judgments_the_gate_says_that_it_compared_nothing() -> None:
    metrics = {**_metrics(), "judged": None}
    metrics["absent"] = {"judged": "The shop has no judgments."}
    (verdict,) = check_search(metrics, GatesConfig())
    assert verdict.passed and verdict.skipped
    assert verdict.message == "The shop has no judgments."


def test_a_system_that_was_not_measured_fails() -> None:
    bounds = GatesConfig(search_must_hold=("oracle",))
    (verdict,) = check_search(_metrics(), bounds)
    assert not verdict.passed and "oracle" in verdict.message


def test_the_gate_can_be_switched_off() -> None:
    assert check_search(_metrics(0.1), GatesConfig(search_must_hold=())) == []
