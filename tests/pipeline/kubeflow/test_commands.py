"""`souk compile` and `souk submit` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from pipeline.cli import main
from tests.pipeline.kubeflow.fake_kfp import FakeKfp

TO_KUBEFLOW = ("--runner", "kubeflow", "--pipeline-root", "s3://bucket/souk")


def test_compile_then_submit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    cluster = tmp_path / "cluster.yaml"
    cluster.write_text("volume_claim: shared\nsteps: {Retriever: {gpus: 1}}\n")
    output = tmp_path / "out" / "tiny.yaml"
    run = CliRunner().invoke(
        main,
        ["compile", "tiny", *TO_KUBEFLOW, "--image", "registry/souk:7"]
        + ["--home", str(tmp_path / "var"), "--output", str(output)]
        + ["--cluster", str(cluster), "--cluster-home", "/gcs/bucket/home"]
        + ["--compress", "--text-encoder-preset", "/gcs/bucket/minilm"],
    )
    assert run.exit_code == 0, run.output
    assert str(output) in run.output
    spec, platform = yaml.safe_load_all(output.read_text("utf-8"))
    assert spec["defaultPipelineRoot"] == "s3://bucket/souk"
    home = spec["root"]["inputDefinitions"]["parameters"]["home"]
    assert home["defaultValue"] == "/gcs/bucket/home"
    executor = spec["deploymentSpec"]["executors"]["Retriever_executor"]["container"]
    assert executor["image"] == "registry/souk:7"
    assert "Compress_executor" in spec["deploymentSpec"]["executors"]
    assert "/gcs/bucket/minilm" in json.dumps(spec)
    assert executor["resources"]["accelerator"]["count"] == "1"
    assert '"shared"' in json.dumps(platform)
    with FakeKfp() as kfp:
        run = CliRunner().invoke(
            main,
            ["submit", str(output), "--endpoint", kfp.endpoint]
            + ["--param", 'gates={"max_drop_percent": 3}', "--run-name", "tuesday"],
        )
    assert run.exit_code == 0, run.output
    assert "run r1" in run.output
    (body,) = kfp.of("POST", "/apis/v2beta1/runs")
    assert body["display_name"] == "tuesday"
    gates = body["runtime_config"]["parameters"]["gates"]
    assert gates == '{"max_drop_percent": 3}'


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["compile", "tiny", "--pipeline-root", "/var/x", "--image", "i"], "gs://"),
        (["submit", "{spec}", "--endpoint", "http://x", "--param", "a"], "NAME=VALUE"),
    ],
)
def test_errors_are_one_line_with_the_rule(tmp_path: Path, arguments, rule) -> None:
    spec = tmp_path / "s.yaml"
    spec.write_text("{}")
    arguments = [a.format(spec=spec) for a in arguments]
    if arguments[0] == "compile":
        arguments += ["--home", str(tmp_path / "var")]
    run = CliRunner().invoke(main, arguments)
    assert run.exit_code == 2
    assert rule in run.output and "Traceback" not in run.output
