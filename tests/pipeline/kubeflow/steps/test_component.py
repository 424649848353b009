"""A TFX executor behind our entry point: the Pusher, which the gates stop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.report.step_records import read_records
from pipeline.kubeflow.steps import component
from tests.pipeline.kubeflow.messages import RUN, message, output_uri, schema

PUSHER = "components.pusher.executor.AtomicExecutor"
SPEC = {
    "artifacts": {
        "model": {"artifactType": schema("tfx.Model")},
        "model_blessing": {"artifactType": schema("tfx.ModelBlessing")},
    },
    "parameters": {
        name: {"parameterType": "STRING"} for name in ("push_destination", "souk_root")
    },
}


class Push:
    """One call of the Pusher's container on a model and a blessing."""

    def __init__(self, tmp_path: Path, mounts: Path) -> None:
        self.home = tmp_path / "home" / "tiny"
        self.out = tmp_path / "out"
        self.mounts = mounts
        self.model = self.local(f"{RUN}/Bundle/1/model") / "Format-Serving"
        self.model.mkdir(parents=True)
        (self.model / "saved_model.pb").write_bytes(b"graph")
        blessing = self.local(f"{RUN}/Gates/1/blessing")
        blessing.mkdir(parents=True)
        metrics = {"systems": {"bundle": {"ndcg": 0.5}}}
        (blessing / "metrics.json").write_text(json.dumps(metrics))

    def local(self, uri: str) -> Path:
        return self.mounts / "gcs" / uri.removeprefix("gs://")

    def run(self, blessed: int, *flags: str) -> int:
        destination = {"filesystem": {"base_directory": "${souk_root}/serving/souk"}}
        text = message(
            "Pusher",
            parameters={
                "push_destination": json.dumps(destination),
                "souk_root": str(self.home),
            },
            inputs={
                "model": {"uri": f"{RUN}/Bundle/1/model"},
                "model_blessing": {
                    "uri": f"{RUN}/Gates/1/blessing",
                    # What MLMD hands on: numbers are doubles.
                    "metadata": {"blessed": float(blessed), "display_name": "b"},
                },
            },
            outputs={"pushed_model": "tfx.PushedModel"},
            out=str(self.out),
        )
        return component.main(
            [
                *("--task", "Pusher", *flags, "--executor_class_path", PUSHER),
                *("--json_serialized_invocation_args", text),
                *("--json_serialized_inputs_spec_args", json.dumps(SPEC)),
                "--direct_num_workers=1",
            ]
        )

    def versions(self) -> list[Path]:
        return sorted((self.home / "serving" / "souk").glob("[0-9]*"))

    def metadata(self) -> dict:
        written = json.loads((self.out / "output_metadata.json").read_text())
        (artifact,) = written["artifacts"]["pushed_model"]["artifacts"]
        assert artifact["uri"] == output_uri("Pusher", "pushed_model")
        return artifact["metadata"]


@pytest.fixture
def push(tmp_path: Path, mounts: Path) -> Push:
    return Push(tmp_path, mounts)


def test_a_blessed_model_is_pushed_below_the_runs_home(push: Push) -> None:
    assert push.run(1, "--keep", "pushed_model=pushed_model") == 0
    (version,) = push.versions()
    assert (version / "saved_model.pb").read_bytes() == b"graph"
    assert push.metadata()["pushed_destination"] == str(version)
    (record,) = read_records(push.home / "runs" / "run-7")
    assert (record.component, record.state) == ("Pusher", "complete")
    assert {a.key for a in record.inputs} == {"model", "model_blessing"}
    assert record.outputs[0].uri == output_uri("Pusher", "pushed_model")
    assert record.outputs[0].type_name == "tfx.PushedModel"
    kept = push.home / "runs" / "run-7" / "kept" / "pushed_model" / "pushed.json"
    assert json.loads(kept.read_text())["pushed"] is True


def test_a_gate_that_refused_stops_the_push(push: Push) -> None:
    assert push.run(0) == 0
    assert push.versions() == []
    assert push.metadata()["pushed"] == 0


def test_the_metrics_of_the_blessing_go_with_the_version(push: Push) -> None:
    push.run(1)
    (version,) = push.versions()
    metrics = json.loads((version / "metrics.json").read_text())
    assert metrics == {"systems": {"bundle": {"ndcg": 0.5}}}


def test_an_error_of_ours_is_the_exit_code_and_in_the_record(
    push: Push, capsys
) -> None:
    (push.model / "saved_model.pb").unlink()
    assert push.run(1) == 4  # ArtifactError
    assert "must hold a saved_model.pb" in capsys.readouterr().err
    (record,) = read_records(push.home / "runs" / "run-7")
    assert record.state == "failed"
    assert "must hold a saved_model.pb" in record.error


def test_a_retry_starts_on_empty_outputs(push: Push) -> None:
    debris = push.local(output_uri("Pusher", "pushed_model")) / "half-written"
    debris.parent.mkdir(parents=True)
    debris.touch()
    assert push.run(1) == 0
    assert not debris.exists()
