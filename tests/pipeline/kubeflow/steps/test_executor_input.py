"""KFP's message as a step reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import ArtifactError
from pipeline.kubeflow import names
from pipeline.kubeflow.steps.executor_input import ExecutorInput
from tests.pipeline.kubeflow.messages import message, output_uri, schema

ROOT = Path("/x")


def parse(text: str, types: dict | None = None) -> ExecutorInput:
    return ExecutorInput.parse("Gates", text, types or {}, ROOT)


def test_uris_are_local_paths_and_inputs_get_their_types() -> None:
    uri = "gs://bucket/root/souk-tiny/run-7/Bundle/1/model"
    text = message("Gates", inputs={"model": {"uri": uri}}, outputs={"blessing": "x.Y"})
    step = parse(text, {"model": schema("tfx.Model")})
    ((key, artifact),) = step.inputs()
    assert key == "model"
    assert artifact["uri"] == "/x/gcs/bucket/root/souk-tiny/run-7/Bundle/1/model"
    assert artifact["type"] == schema("tfx.Model")
    assert artifact["name"] == uri  # unique, while KFP's names need not be
    assert str(step.output_path("blessing")).startswith("/x/gcs/bucket/root/souk-tiny")


def test_an_input_that_holds_nothing_is_left_out() -> None:
    absent = {"uri": "gs://b/r/p/1/L/2/model", "metadata": {names.ABSENT: 1.0}}
    there = {"uri": "gs://b/r/p/1/B/2/model", "metadata": {"a": 1}}
    text = message("Gates", inputs={"last": absent, "model": there}, outputs={"o": "x"})
    assert [key for key, _ in parse(text).inputs()] == ["model"]


def test_tokens_in_parameters_are_filled_in() -> None:
    text = message(
        "Gates",
        parameters={
            "souk_root": "/souk/tiny",
            "log": "${souk_root}/logs/x.json",
            "records": "${souk_root}/runs/${souk_run}",
            "k": 3,
        },
        outputs={"blessing": "x.Y"},
    )
    assert parse(text).parameters == {
        "souk_root": "/souk/tiny",
        "log": "/souk/tiny/logs/x.json",
        "records": "/souk/tiny/runs/run-7",
        "k": 3,
    }


@pytest.mark.parametrize(
    "uri",
    [
        "gs://b/root/souk-tiny/run-7/Gates/0b7e/blessing",  # open-source KFP
        "gs://b/root/1234/run-7/Gates_-556677/blessing",  # Vertex AI
    ],
)
def test_the_run_is_read_from_an_outputs_uri(uri: str) -> None:
    values = json.loads(message("Gates", outputs={"blessing": "x.Y"}))
    values["outputs"]["artifacts"]["blessing"]["artifacts"][0]["uri"] = uri
    assert parse(json.dumps(values)).run == "run-7"


def test_other_uris_are_refused() -> None:
    text = message("Clean", outputs={"items": "x.Y"})
    with pytest.raises(ArtifactError, match="RUN/Gates/"):
        parse(text)


def test_outputs_are_written_with_the_stores_uris(tmp_path: Path) -> None:
    text = message(
        "Gates",
        outputs={"blessing": "x.Y"},
        output_parameters=("n",),
        out=str(tmp_path / "out"),
    )
    parse(text).finish(parameters={"n": 5}, metadata={"blessing": {"blessed": 1}})
    written = json.loads((tmp_path / "out" / "output_metadata.json").read_text())
    assert written["parameterValues"] == {"n": 5}
    assert written["artifacts"]["blessing"]["artifacts"] == [
        {"uri": output_uri("Gates", "blessing"), "metadata": {"blessed": 1}}
    ]
    assert (tmp_path / "out" / "n").read_text() == "5"
