"""The dry run behaves as KFP does: order, artifacts, retries, cache, exit handler."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from core.errors import ArtifactError
from pipeline.kubeflow.dry_run.cluster import LocalCluster

Json = dict[str, Any]

# Reads KFP's message, then whatever the task's own line does with it.
READ = """
import json, os, pathlib, sys
message = json.loads(sys.argv[1])
p = message["inputs"]["parameterValues"]
root = pathlib.Path(os.environ["SOUK_MOUNT_ROOT"])
def place(side, key):
    uri = message[side]["artifacts"][key]["artifacts"][0]["uri"]
    path = root / "gcs" / uri.removeprefix("gs://")
    path.mkdir(parents=True, exist_ok=True)
    return path
def finish(parameters):
    path = pathlib.Path(message["outputs"]["outputFile"])
    path.write_text(json.dumps({"parameterValues": parameters}))
"""


class Spec:
    """A small pipeline, built task by task."""

    def __init__(self) -> None:
        self.tasks: Json = {}
        self.components: Json = {}
        self.executors: Json = {}
        self.root: Json = self.tasks

    def task(
        self,
        name: str,
        code: str,
        *,
        parameters: Json | None = None,
        inputs: dict[str, str] | None = None,  # key: TASK.OUTPUT
        outputs: tuple[str, ...] = (),
        output_parameters: tuple[str, ...] = (),
        cache: bool = False,
        **more: Any,
    ) -> None:
        given = parameters or {}
        artifacts = {
            key: dict(
                zip(
                    ("producerTask", "outputArtifactKey"),
                    source.split("."),
                    strict=True,
                )
            )
            for key, source in (inputs or {}).items()
        }
        self.tasks[name] = {
            "taskInfo": {"name": name},
            "componentRef": {"name": name},
            "inputs": {
                "parameters": given,
                "artifacts": {
                    key: {"taskOutputArtifact": source}
                    for key, source in artifacts.items()
                },
            },
            "cachingOptions": {"enableCache": cache},
            **more,
        }
        self.components[name] = {
            "executorLabel": name,
            "inputDefinitions": {
                "parameters": {key: {"parameterType": "STRING"} for key in given}
            },
            "outputDefinitions": {
                "artifacts": {
                    key: {"artifactType": {"schemaTitle": "system.Artifact"}}
                    for key in outputs
                },
                "parameters": {
                    key: {"parameterType": "STRING"} for key in output_parameters
                },
            },
        }
        self.executors[name] = {
            "container": {
                "image": "i",
                "command": ["python", "-c", READ + code],
                "args": ["{{$}}"],
            }
        }

    def build(self) -> Json:
        return {
            "pipelineInfo": {"name": "toy"},
            "defaultPipelineRoot": "gs://bucket/root",
            "components": self.components,
            "deploymentSpec": {"executors": self.executors},
            "root": {
                "inputDefinitions": {
                    "parameters": {
                        "volume": {"parameterType": "STRING", "defaultValue": ""}
                    }
                },
                "dag": {"tasks": self.root},
            },
        }


VOLUME = {"volume": {"componentInputParameter": "volume"}}


@pytest.fixture
def cluster(tmp_path: Path) -> LocalCluster:
    return LocalCluster(tmp_path / "cluster", Path(sys.executable))


def run(cluster: LocalCluster, spec: Spec, volume: Path) -> Any:
    volume.mkdir(exist_ok=True)
    return cluster.run(spec.build(), {"volume": str(volume)})


def test_artifacts_and_parameters_go_from_task_to_task(cluster, tmp_path) -> None:
    spec = Spec()
    spec.task(
        "Second",
        "(place('outputs', 'b') / 'f').write_text("
        "(place('inputs', 'a') / 'f').read_text() + p['word'])",
        inputs={"a": "First.a"},
        outputs=("b",),
        parameters={
            "word": {
                "taskOutputParameter": {
                    "producerTask": "First",
                    "outputParameterKey": "word",
                }
            }
        },
        dependentTasks=["First"],
    )
    spec.task(
        "First",
        "(place('outputs', 'a') / 'f').write_text('one '); finish({'word': 'two'})",
        outputs=("a",),
        output_parameters=("word",),
    )
    result = run(cluster, spec, tmp_path / "v")
    assert result.state == "COMPLETE"
    assert list(result.tasks) == ["First", "Second"]
    uri = result.outputs["Second"].artifacts["b"]["uri"]
    assert uri.startswith("gs://bucket/root/toy/")
    stored = tmp_path / "cluster" / "store" / "gcs" / uri.removeprefix("gs://")
    assert (stored / "f").read_text() == "one two"


def test_a_step_gets_what_kfp_gives_and_no_more(cluster, tmp_path) -> None:
    spec = Spec()
    spec.task("First", "place('outputs', 'a')", outputs=("a",))
    spec.task("Beside", "place('outputs', 'c')", outputs=("c",))
    spec.task(
        "Second",
        "found = message['inputs']['artifacts']['a']['artifacts'][0]\n"
        "assert 'type' not in found and found['name'].isdigit(), found\n"
        "assert os.listdir('.') == [] and not list(root.rglob('c'))\n"
        "assert 'PYTHONPATH' not in os.environ\n"
        "(place('outputs', 'b') / 'x').touch()",
        inputs={"a": "First.a"},
        outputs=("b",),
        dependentTasks=["First", "Beside"],
    )
    assert run(cluster, spec, tmp_path / "v").state == "COMPLETE"


def test_a_step_that_fails_once_is_tried_again(cluster, tmp_path) -> None:
    spec = Spec()
    flag = "flag = pathlib.Path(p['volume'], 'seen')\n"
    spec.task(
        "Shaky",
        flag + "if not flag.exists(): flag.touch(); sys.exit(9)\nplace('outputs', 'a')",
        outputs=("a",),
        parameters=VOLUME,
        retryPolicy={"maxRetryCount": 2},
    )
    result = run(cluster, spec, tmp_path / "v")
    assert result.state == "COMPLETE"
    assert result.tasks["Shaky"].attempts == 2


def test_a_failure_stops_what_depends_on_it_and_the_exit_handler_still_runs(
    cluster, tmp_path
) -> None:
    spec = Spec()
    spec.task("Gate", "sys.exit(3)")
    spec.task("Push", "pathlib.Path(p['volume'], 'pushed').touch()",
              parameters=VOLUME, dependentTasks=["Gate"])  # fmt: skip
    inner = spec.tasks
    spec.components["dag"] = {
        "inputDefinitions": {"parameters": {"volume": {"parameterType": "STRING"}}},
        "dag": {"tasks": inner},
    }
    spec.tasks = spec.root = {
        "all": {
            "taskInfo": {"name": "all"},
            "componentRef": {"name": "dag"},
            "inputs": {"parameters": VOLUME},
        }
    }
    spec.task(
        "OnExit",
        "pathlib.Path(p['volume'], 'status').write_text(p['status'])",
        parameters={**VOLUME, "status": {"taskFinalStatus": {"producerTask": "all"}}},
        dependentTasks=["all"],
        triggerPolicy={"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"},
    )
    result = run(cluster, spec, tmp_path / "v")
    assert result.state == "FAILED"
    assert {name: each.state for name, each in result.tasks.items()} == {
        "Gate": "FAILED",
        "Push": "SKIPPED",
        "OnExit": "COMPLETE",
    }
    assert not (tmp_path / "v" / "pushed").exists()
    assert '"FAILED"' in (tmp_path / "v" / "status").read_text()


def test_a_step_comes_from_the_cache_until_an_input_changes(cluster, tmp_path) -> None:
    def states(word: str) -> list[str]:
        spec = Spec()
        spec.task(
            "First",
            "(place('outputs', 'a') / 'f').write_text(p['word'])",
            outputs=("a",),
            parameters={"word": {"runtimeValue": {"constant": word}}},
            cache=True,
        )
        spec.task("Second", "place('inputs', 'a')", inputs={"a": "First.a"},
                  dependentTasks=["First"], cache=True)  # fmt: skip
        result = run(cluster, spec, tmp_path / "v")
        return [result.tasks[name].state for name in ("First", "Second")]

    assert states("x") == ["COMPLETE", "COMPLETE"]
    assert states("x") == ["CACHED", "CACHED"]
    assert states("y") == ["COMPLETE", "COMPLETE"]


def test_a_step_that_leaves_an_output_out_or_litters_is_found_out(
    cluster, tmp_path
) -> None:
    spec = Spec()
    spec.task("Lazy", "pass", outputs=("a",))
    with pytest.raises(ArtifactError, match="`Lazy` must write every output"):
        run(cluster, spec, tmp_path / "v")
    spec = Spec()
    spec.task("Messy", "pathlib.Path('litter').touch()")
    with pytest.raises(ArtifactError, match="`Messy` left litter"):
        run(cluster, spec, tmp_path / "v")
