from __future__ import annotations

import json

import pytest
from tfx.types import standard_artifacts

from components.evaluate_search.artifacts import SearchMetrics
from components.evaluate_search.component import EvaluateSearch
from core.config.search_evaluation import SearchEvaluationConfig
from tests.components import search_world, small_world

CONFIG = SearchEvaluationConfig(bootstrap_samples=20)


def artifact(kind, uri):
    found = kind()
    found.uri = str(uri)
    return found


@pytest.mark.parametrize("names", [("items",), ("items", "judgments", "events")])
def test_component_measures_what_there_is(tmp_path, names):
    uris = search_world.write_examples(tmp_path)
    search_world.save_fake_search(tmp_path / "model" / "Format-Serving")
    metrics = artifact(SearchMetrics, tmp_path / "metrics")
    EvaluateSearch.test_call(
        model=artifact(standard_artifacts.Model, tmp_path / "model"),
        metrics=metrics,
        shop=small_world.SHOP.to_json(),
        config=CONFIG.to_json(),
        **{n: artifact(standard_artifacts.Examples, uris[n]) for n in names},
    )
    text = (tmp_path / "metrics" / "search_metrics.json").read_text(encoding="utf-8")
    report = json.loads(text)
    measured = len(names) > 1
    assert (report["judged"] is not None) == measured
    assert (report["logged"] is not None) == measured
    value = metrics.get_float_custom_property("graded_ndcg_at_10")
    assert (value > 0) == measured
    assert metrics.get_string_custom_property("headline")
