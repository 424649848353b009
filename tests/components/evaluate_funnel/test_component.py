from __future__ import annotations

import json

from tfx.types import standard_artifacts

from components.evaluate_funnel.artifacts import FunnelMetrics
from components.evaluate_funnel.component import EvaluateFunnel
from core.config.evaluation import EvaluationConfig
from tests.components import small_world


def _artifact(kind, uri):
    artifact = kind()
    artifact.uri = str(uri)
    return artifact


def test_component_measures_the_bundle_of_the_model_artifact(tmp_path):
    uris = small_world.write_examples(tmp_path)
    small_world.save_fake_bundle(tmp_path / "model" / "Format-Serving")
    metrics = _artifact(FunnelMetrics, tmp_path / "metrics")
    config = EvaluationConfig(k_values=(5,), primary_k=5, bootstrap_samples=20)
    EvaluateFunnel.test_call(
        model=_artifact(standard_artifacts.Model, tmp_path / "model"),
        metrics=metrics,
        shop=small_world.SHOP.to_json(),
        config=config.to_json(),
        **{n: _artifact(standard_artifacts.Examples, u) for n, u in uris.items()},
    )
    report = json.loads((tmp_path / "metrics" / "metrics.json").read_text())
    value = report["systems"]["bundle"]["all"]["ndcg@5"]["value"]
    assert metrics.get_float_custom_property("ndcg_at_5") == value > 0


def test_a_bundle_is_not_measured_beside_itself(tmp_path):
    uris = small_world.write_examples(tmp_path)
    config = EvaluationConfig(k_values=(5,), primary_k=5, bootstrap_samples=20)
    systems = {}
    for name in ("model", "last"):
        small_world.save_fake_bundle(tmp_path / name / "Format-Serving")
    for name in ("model", "last"):
        EvaluateFunnel.test_call(
            model=_artifact(standard_artifacts.Model, tmp_path / "model"),
            baseline_model=_artifact(standard_artifacts.Model, tmp_path / name),
            metrics=_artifact(FunnelMetrics, tmp_path / "metrics" / name),
            shop=small_world.SHOP.to_json(),
            config=config.to_json(),
            **{n: _artifact(standard_artifacts.Examples, u) for n, u in uris.items()},
        )
        text = (tmp_path / "metrics" / name / "metrics.json").read_text()
        systems[name] = set(json.loads(text)["systems"])
    assert systems["last"] - systems["model"] == {"last_blessed"}
