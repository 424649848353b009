"""What the gate calls wrong, on statistics of tables made for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2

from components.curate_schema import curate
from components.data_gate import judge
from components.statistics_options import lean_stats_options
from core.config.validation import ValidationConfig
from tests.components.shop_tables import SHOP

CONFIG = ValidationConfig()


def _statistics(countries: list[str | None], price: float) -> judge.Statistics:
    rows = pd.DataFrame(
        {
            "event": "view",
            "country": countries,
            "price": [price * (1 + n % 7) for n in range(len(countries))],
        }
    )
    return tfdv.generate_statistics_from_dataframe(rows, lean_stats_options())


@pytest.fixture(scope="module")
def schema() -> schema_pb2.Schema:
    return curate.curate(schema_pb2.Schema(), "events", SHOP, CONFIG)


@pytest.fixture(scope="module")
def usual() -> judge.Statistics:
    return _statistics(["FR"] * 60 + ["DE"] * 40, 1.0)


def test_equal_spans_pass(usual: judge.Statistics, schema: schema_pb2.Schema) -> None:
    measured, found = judge.drift(usual, usual, schema)
    assert found == []
    assert {c.feature for c in measured} >= {"country", "event", "price"}
    assert all(c.value == 0 for c in measured)
    assert judge.presence_drops(usual, usual, CONFIG) == ([], [])


def test_drift_of_categories_and_numbers_is_found(
    usual: judge.Statistics, schema: schema_pb2.Schema
) -> None:
    # FR falls from .6 to .1: the infinity norm is .5, the bound .2.
    moved = _statistics(["FR"] * 10 + ["DE"] * 90, 100.0)
    measured, found = judge.drift(moved, usual, schema)
    assert {finding.feature for finding in found} == {"country", "price"}
    by_feature = {c.feature: c for c in measured}
    assert by_feature["country"].value == pytest.approx(0.5)
    assert by_feature["country"].bound == pytest.approx(CONFIG.max_category_drift)


def test_skew_names_the_split(
    usual: judge.Statistics, schema: schema_pb2.Schema
) -> None:
    other = _statistics(["US"] * 100, 1.0)
    _, found = judge.skew({"train": usual, "eval": usual, "test": other}, schema)
    assert [(f.split, f.feature) for f in found] == [("test", "country")]


def test_a_column_that_falls_silent_is_found(usual: judge.Statistics) -> None:
    silent = _statistics(["FR"] * 50 + [None] * 50, 1.0)
    _, found = judge.presence_drops(silent, usual, CONFIG)
    (finding,) = found
    assert finding.feature == "country"
    assert "present in 50% of rows, 100%" in finding.description


def test_a_rare_column_may_lose_no_more_than_a_frequent_one() -> None:
    some, none = (_statistics(["FR"] * n + [None] * (1000 - n), 1.0) for n in (80, 0))
    _, found = judge.presence_drops(none, some, CONFIG)
    assert [f.feature for f in found] == ["country"]
    # Of two rows nothing can be said.
    few = _statistics(["FR"] * 2 + [None] * 98, 1.0)
    assert judge.presence_drops(none, few, CONFIG) == ([], [])


def test_a_column_that_falls_silent_in_a_later_split_names_it() -> None:
    some, none = (_statistics(c * 100, 1.0) for c in (["FR"], [None]))
    spans = {"train": some, "eval": some, "test": none}
    measured, found = judge.fallen_silent(spans, CONFIG)
    assert [(f.split, f.feature) for f in found] == [("test", "country")]
    assert "100% in the train split" in found[0].description
    assert [(c.kind, c.against, c.value) for c in measured] == [("skew", "test", 1.0)]


@pytest.mark.parametrize(
    ("change", "stops"),
    [
        (lambda p: np.append(p, 99_999.0), False),  # one dear item
        (lambda p: p * 1.2, False),
        (lambda p: np.where(np.arange(len(p)) % 2, p, 10 * p), True),
        (lambda p: 100 * p, True),  # another currency
        (lambda p: np.append(100 * p, 999_999.0), True),
    ],
)
@pytest.mark.parametrize("placeholder", [[], [999_999.0]])
def test_prices_are_compared_by_doubling(
    schema: schema_pb2.Schema, placeholder: list[float], change: Any, stops: bool
) -> None:
    usual = np.exp(np.random.default_rng(0).normal(2.0, 1.0, 2_000))
    before, after = (
        tfdv.generate_statistics_from_dataframe(
            pd.DataFrame({"price": np.append(prices, placeholder)}),
            lean_stats_options(),
        )
        for prices in (usual, change(usual))
    )
    _, found = judge.drift(after, before, schema)
    assert [f.feature for f in found] == ["price"] * stops


def _summary(adapter: dict[str, int]) -> dict[str, Any]:
    """Ten events reach cleaning, which rejects six, behind an adapter."""
    events = {"rows_in": 10, "rejected": {"future": 2, "unknown item": 4}}
    return {"events": events, "adapter": {"rejected": {"events": adapter}}}


def test_mass_rejection_is_found() -> None:
    (finding,) = judge.rejections(_summary({}), "events", CONFIG)
    assert "60% of the rows were rejected, mostly: unknown item" in finding.description
    assert (
        judge.rejections(_summary({}), "events", CONFIG.replace(max_rejected=0.7)) == []
    )


def test_what_the_adapter_rejected_counts_but_guests_do_not() -> None:
    summary = _summary({"item_id is not in items": 90, "no user_id": 900})
    (finding,) = judge.rejections(summary, "events", CONFIG)
    assert "96% of the rows" in finding.description  # 96 of 100
    assert "mostly: item_id is not in items" in finding.description

    loose = CONFIG.replace(max_rejected=0.65)
    assert judge.rejections(_summary({"no user_id": 900}), "events", loose) == []
