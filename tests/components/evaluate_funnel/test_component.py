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


def test_a_last_model_that_saw_the_test_period_is_left_out(tmp_path):
    uris = small_world.write_examples(tmp_path)
    config = EvaluationConfig(k_values=(5,), primary_k=5, bootstrap_samples=20)
    systems = {}
    for name, as_of in (("fair", small_world.CUTOFF), ("late", small_world.CUTOFF + 1)):
        last = small_world.save_fake_bundle(tmp_path / name / "Format-Serving")
        (last / "souk.json").write_text(json.dumps({"as_of": as_of}))
        small_world.save_fake_bundle(tmp_path / "model" / name / "Format-Serving")
        EvaluateFunnel.test_call(
            model=_artifact(standard_artifacts.Model, tmp_path / "model" / name),
            baseline_model=_artifact(standard_artifacts.Model, tmp_path / name),
            metrics=_artifact(FunnelMetrics, tmp_path / "metrics" / name),
            shop=small_world.SHOP.to_json(),
            config=config.to_json(),
            **{n: _artifact(standard_artifacts.Examples, u) for n, u in uris.items()},
        )
        text = (tmp_path / "metrics" / name / "metrics.json").read_text()
        systems[name] = set(json.loads(text)["systems"])
    assert systems["fair"] - systems["late"] == {"last_blessed"}
