"""`souk submit` against an API that records what it was sent."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml

from core.errors import ConfigError, ServingError
from pipeline.kubeflow.submit import Submission, read_spec, submit, typed
from tests.pipeline.kubeflow.fake_kfp import FakeKfp

API = "/apis/v2beta1"


@pytest.fixture(autouse=True)
def no_settings_of_mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client reads a context file and variables of the person who runs it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KF_PIPELINES_ENDPOINT", "KF_PIPELINES_UI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def specification(compiled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spec") / "kubeflow.yaml"
    compiled.write(path)
    return path


def test_the_first_submit_uploads_the_file_and_starts_a_run(specification) -> None:
    parameters = {"test_start": "2025-06-10", "seed": "3"}
    with FakeKfp() as kfp:
        run = submit(
            Submission(specification=specification, parameters=parameters), kfp.endpoint
        )
    assert run == "r1"
    (upload,) = kfp.of("POST", f"{API}/pipelines/upload")
    # Both documents of the file, whole.
    assert specification.read_text("utf-8").strip() in upload.replace("\r\n", "\n")
    (body,) = kfp.of("POST", f"{API}/runs")
    assert body["pipeline_version_reference"] == {
        "pipeline_id": "id-souk-tiny",
        "pipeline_version_id": "v1",
    }
    assert body["runtime_config"]["parameters"] == {
        "test_start": "2025-06-10",
        "seed": 3,
    }
    assert body["experiment_id"] == "e1"


def test_the_next_submit_adds_a_version_and_runs_that(specification) -> None:
    with FakeKfp() as kfp:
        for _ in range(2):
            submit(Submission(specification=specification), kfp.endpoint)
    assert len(kfp.of("POST", f"{API}/pipelines/upload")) == 1
    assert len(kfp.of("POST", f"{API}/pipelines/upload_version")) == 1
    body = kfp.of("POST", f"{API}/runs")[-1]
    assert body["pipeline_version_reference"]["pipeline_version_id"] == "v2"


def test_a_namespace_has_its_own_pipeline_with_versions(specification) -> None:
    shared = Submission(specification=specification)
    ours = Submission(specification=specification, namespace="shops")
    with FakeKfp() as kfp:
        for submission in (shared, ours, ours):
            submit(submission, kfp.endpoint)
    runs = kfp.of("POST", f"{API}/runs")
    assert [run["pipeline_version_reference"] for run in runs] == [
        {"pipeline_id": "id-souk-tiny", "pipeline_version_id": "v1"},
        {"pipeline_id": "id-shops.souk-tiny", "pipeline_version_id": "v1"},
        {"pipeline_id": "id-shops.souk-tiny", "pipeline_version_id": "v2"},
    ]


def test_a_token_is_sent_and_a_missing_one_is_explained(specification) -> None:
    submission = Submission(specification=specification, namespace="shops")
    with FakeKfp(token="secret") as kfp:
        assert submit(submission, kfp.endpoint, token="secret") == "r1"
        with pytest.raises(ServingError, match=r"login first.*--token-file"):
            submit(submission, kfp.endpoint)


def test_nobody_there_is_an_error_that_names_the_endpoint(specification) -> None:
    with socket.socket() as unused:  # bound, never listening
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ServingError, match=endpoint):
            submit(Submission(specification=specification), endpoint)


def test_parameters_are_checked_before_anything_is_sent(compiled) -> None:
    with pytest.raises(ConfigError, match=r"source, test_start\. Received: dates"):
        typed(compiled.spec, {"dates": "x"})
    with pytest.raises(ConfigError, match=r"`seed` must be a whole number"):
        typed(compiled.spec, {"seed": "one"})
    # It would be the home itself.
    with pytest.raises(ConfigError, match=r"`shop` must be the name .* Received: ''"):
        typed(compiled.spec, {"shop": ""})


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        yaml.safe_dump({"platforms": {}}),
        "pipelineInfo: {name: x}",
        "pipelineInfo: x\nroot: {}",
    ],
)
def test_another_file_is_no_specification(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="souk compile"):
        read_spec(path)
