"""FunnelTrainer: its contract, and a toy run_fn through the real executor."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from tfx.types import Channel, artifact, standard_artifacts
from tfx.types import standard_component_specs as keys
from tfx.utils import import_utils, json_utils

from components.trainer.component import FunnelTrainer
from components.trainer.executor import FunnelTrainerExecutor

TOY = "tests.components.trainer.test_funnel_trainer.toy_run_fn"


class ToyTables(artifact.Artifact):
    """An artifact type of the project's own."""

    TYPE_NAME = "ToyTables"


def toy_run_fn(fn_args: Any) -> None:
    """Writes down what it was given."""
    folder = Path(fn_args.serving_model_dir)
    folder.mkdir(parents=True)
    seen = {
        "config": fn_args.custom_config,
        "graph": fn_args.transform_graph_path,
        "run": fn_args.model_run_dir,
    }
    (folder / "seen.json").write_text(json.dumps(seen))


def idle_run_fn(fn_args: Any) -> None:
    """Writes no model."""


def _artifact(kind: type[artifact.Artifact], uri: Path) -> artifact.Artifact:
    made = kind()
    made.uri = str(uri)
    return made


def _do(tmp_path: Path, run_fn: str, **inputs: artifact.Artifact) -> dict[str, Any]:
    outputs = {
        keys.MODEL_KEY: [_artifact(standard_artifacts.Model, tmp_path / "model")],
        keys.MODEL_RUN_KEY: [_artifact(standard_artifacts.ModelRun, tmp_path / "run")],
    }
    properties = {
        keys.RUN_FN_KEY: run_fn,
        keys.CUSTOM_CONFIG_KEY: json_utils.dumps({"config": "{}"}),
        keys.TRAIN_ARGS_KEY: "{}",
        keys.EVAL_ARGS_KEY: "{}",
    }
    given = {name: [value] for name, value in inputs.items()}
    FunnelTrainerExecutor().Do(given, outputs, properties)
    return json.loads((tmp_path / "model" / "Format-Serving" / "seen.json").read_text())


def test_run_fn_gets_the_uris_it_was_given(tmp_path: Path) -> None:
    seen = _do(
        tmp_path,
        TOY,
        items=_artifact(standard_artifacts.Examples, tmp_path / "items"),
        tables=_artifact(ToyTables, tmp_path / "tables"),
        transform_graph=_artifact(
            standard_artifacts.TransformGraph, tmp_path / "graph"
        ),
    )
    assert seen["config"] == {
        "config": "{}",
        "uris": {
            "items": str(tmp_path / "items"),
            "tables": str(tmp_path / "tables"),
        },
    }
    assert seen["graph"] == str(tmp_path / "graph")
    assert seen["run"] == str(tmp_path / "run")


def test_a_model_is_given_by_its_saved_model(tmp_path: Path) -> None:
    seen = _do(
        tmp_path,
        TOY,
        text_encoder=_artifact(standard_artifacts.Model, tmp_path / "encoder"),
    )
    saved = tmp_path / "encoder" / "Format-Serving"
    assert seen["config"]["uris"] == {"text_encoder": str(saved)}


def test_a_run_fn_without_a_model_is_an_error(tmp_path: Path) -> None:
    idle = "tests.components.trainer.test_funnel_trainer.idle_run_fn"
    with pytest.raises(RuntimeError, match="failed to generate model"):
        _do(tmp_path, idle)


def test_component_takes_channels_of_any_type() -> None:
    node = FunnelTrainer(
        run_fn=TOY,
        custom_config={"config": "{}"},
        moments=Channel(type=standard_artifacts.Examples),
        tables=Channel(type=ToyTables),
    )
    assert set(node.inputs) == {"moments", "tables"}
    assert set(node.outputs) == {"model", "model_run"}
    assert json.loads(node.exec_properties["custom_config"]) == {"config": "{}"}


def test_door_can_be_imported_by_its_dotted_path() -> None:
    door = import_utils.import_class_by_path("trainer.retriever_module.run_fn")
    assert list(inspect.signature(door).parameters) == ["fn_args"]
