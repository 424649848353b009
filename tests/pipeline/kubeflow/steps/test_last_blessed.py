"""The served version stands for the last blessed model."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.kubeflow.steps import command
from pipeline.kubeflow.steps.last_blessed import last_blessed
from tests.pipeline.kubeflow.messages import message, output_uri


def run(home: Path, version: str, out: Path) -> dict:
    text = message(
        "LastBlessed",
        parameters={"souk_root": str(home), "served_version": version},
        outputs={"model": "tfx.Model", "model_blessing": "tfx.ModelBlessing"},
        out=str(out),
    )
    flags = ["--task", "LastBlessed", "--json_serialized_invocation_args", text]
    assert command.run(last_blessed, flags) == 0
    written = json.loads((out / "output_metadata.json").read_text())["artifacts"]
    return {key: found["artifacts"][0]["metadata"] for key, found in written.items()}


def test_the_version_is_handed_on_as_a_blessed_model(
    tmp_path: Path, mounts: Path
) -> None:
    served = tmp_path / "home" / "tiny" / "serving" / "souk" / "17"
    served.mkdir(parents=True)
    (served / "saved_model.pb").write_bytes(b"graph")
    (served / "metrics.json").write_text("{}")
    metadata = run(tmp_path / "home" / "tiny", "17", tmp_path / "out")
    assert metadata == {"model": {}, "model_blessing": {"blessed": 1}}
    outputs = {
        key: mounts / "gcs" / output_uri("LastBlessed", key).removeprefix("gs://")
        for key in metadata
    }
    model = outputs["model"] / "Format-Serving" / "saved_model.pb"
    assert model.read_bytes() == b"graph"
    assert (outputs["model_blessing"] / "BLESSED").exists()
    assert (outputs["model_blessing"] / "metrics.json").read_text() == "{}"


def test_before_the_first_push_both_outputs_say_that_they_hold_nothing(
    tmp_path: Path, mounts: Path
) -> None:
    metadata = run(tmp_path / "home" / "tiny", "", tmp_path / "out")
    assert metadata == {
        "model": {"souk_absent": 1},
        "model_blessing": {"souk_absent": 1},
    }
    # Something to upload: KFP fails a later download of a folder that is not there.
    assert len(list(mounts.rglob("ABSENT"))) == 2
