"""What the section Compression says of two bundles, counted by hand."""

from __future__ import annotations

from typing import Any

import pytest

from components.report.compression import compression

FACTS: dict[str, Any] = {
    "settings": {"bfloat16_products": True},
    "rankers": {
        "ranker": {
            "before": {"parameters": 10, "events": None},
            "after": {"parameters": 8, "events": None},
            "refused": ["AUC of purchase fell by .020"],
        },
        "search_ranker": None,
    },
    "parameters": {"item tables": 100},
    "expanded_bytes": 30,
    "before": {
        "bytes": 400,
        "variable_bytes": 300,
        "graph_bytes": 100,
        "by_dtype": {"float32": {"numbers": 75, "bytes": 300}},
    },
    "after": {
        "bytes": 100,
        "variable_bytes": 60,
        "graph_bytes": 40,
        "by_dtype": {"int8": {"numbers": 60, "bytes": 60}},
        "arrays": [{"name": f"array_{i}"} for i in range(40)],
    },
}
METRICS: dict[str, Any] = {
    "primary_metric": "ndcg@20",
    "num_moments": {"all": 9, "new": 7},
    "systems": {
        "uncompressed": {
            "all": {"ndcg@20": {"value": 0.4}},
            "new": {"ndcg@20": {"value": 0.0}},
        },
        "bundle": {
            "all": {"ndcg@20": {"value": 0.398}},
            "new": {"ndcg@20": {"value": 0.1}},
        },
    },
}


def test_sizes_types_and_quality_are_beside_those_before() -> None:
    found = compression(FACTS, METRICS)
    assert found is not None
    assert found["ratio"] == 4.0
    assert [(row["before"], row["after"]) for row in found["sizes"]] == [
        (400, 100),
        (300, 60),
        (100, 40),
        (0, 30),
    ]
    # A type that only one of the files has stands there with nothing in the other.
    types = {row["name"]: row for row in found["dtypes"]}
    assert types["float32"]["after"] == {"numbers": 0, "bytes": 0}
    assert types["int8"]["after"]["bytes"] == 60
    assert [row["change"] for row in found["quality"]] == [pytest.approx(-0.005), None]
    (ranker,) = found["rankers"]  # the search ranker was not touched
    assert ranker["refused"] == ["AUC of purchase fell by .020"]
    assert found["bfloat16"] is True


def test_a_bundle_as_trained_has_no_such_section() -> None:
    assert compression(None, METRICS) is None


def test_facts_of_an_earlier_version_and_a_run_without_metrics_are_read() -> None:
    earlier = {
        k: v for k, v in FACTS.items() if k not in ("settings", "expanded_bytes")
    }
    found = compression(earlier, None)
    assert found is not None
    assert found["bfloat16"] is False and found["quality"] == []
    assert found["sizes"][-1]["after"] == 0


def test_a_view_without_moments_has_no_quality() -> None:
    found = compression(FACTS, {**METRICS, "num_moments": {"all": 9, "new": 0}})
    assert found is not None
    assert [row["name"] for row in found["quality"]] == ["NDCG@20, all items"]
