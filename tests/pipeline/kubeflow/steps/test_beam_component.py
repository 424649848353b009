"""A step that asks for a Beam pipeline gets one in its container."""

from __future__ import annotations

import json
from pathlib import Path

from core.config.evaluation import EvaluationConfig
from pipeline.kubeflow.steps import component
from tests.components import small_world
from tests.pipeline.kubeflow.messages import RUN, message, output_uri, schema

EXECUTOR = "components.evaluate_funnel.component.EvaluateFunnel_Executor"
TYPES = {
    "model": "tfx.Model",
    "moments": "tfx.Examples",
    "items": "tfx.Examples",
    "events": "tfx.Examples",
}


def test_the_bundle_is_asked_in_beam(tmp_path: Path, mounts: Path) -> None:
    def local(uri: str) -> Path:
        return mounts / "gcs" / uri.removeprefix("gs://")

    root = f"{RUN}/Made/1"
    small_world.write_examples(local(root))
    small_world.save_fake_bundle(local(f"{root}/model") / "Format-Serving")
    config = EvaluationConfig(k_values=(5,), primary_k=5, bootstrap_samples=20)
    parameters = {
        "shop": small_world.SHOP.to_json(),
        "config": config.to_json(),
        "souk_root": str(tmp_path / "home" / "tiny"),
    }
    spec = {
        "artifacts": {k: {"artifactType": schema(t)} for k, t in TYPES.items()},
        "parameters": {name: {"parameterType": "STRING"} for name in parameters},
    }
    text = message(
        "EvaluateFunnel",
        parameters=parameters,
        inputs={key: {"uri": f"{root}/{key}"} for key in TYPES},
        outputs={"metrics": "components.FunnelMetrics"},
        out=str(tmp_path / "out"),
    )
    code = component.main(
        [
            *("--task", "EvaluateFunnel", "--executor_class_path", EXECUTOR),
            *("--json_serialized_invocation_args", text),
            *("--json_serialized_inputs_spec_args", json.dumps(spec)),
            *("--runner=DirectRunner", "--sdk_container_image=souk:1"),
        ]
    )
    assert code == 0
    folder = local(output_uri("EvaluateFunnel", "metrics"))
    assert [path.name for path in folder.iterdir()] == ["metrics.json"]
    report = json.loads((folder / "metrics.json").read_text())
    assert report["systems"]["bundle"]["all"]["ndcg@5"]["value"] > 0
