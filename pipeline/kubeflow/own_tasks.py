"""The three tasks that are no TFX components, as a KFP spec has them."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from core.config.choices import RunChoices
from core.config.souk import SoukConfig
from pipeline.kubeflow import names, run_values

Json = dict[str, Any]

_STRING, _INTEGER = "STRING", "NUMBER_INTEGER"
RUN_PARAMETERS = {
    names.HOME: _STRING,
    names.SHOP: _STRING,
    names.SOURCE: _STRING,
    names.DATA: _STRING,
    names.SEED: _INTEGER,
    names.TEST_START: _STRING,
    names.GATES: _STRING,
}


@dataclasses.dataclass(frozen=True)
class OwnTask:
    """One task with its component and its container, which runs `module`."""

    name: str
    module: str
    component: Json
    task: Json

    def container(self, image: str) -> Json:
        return {
            "image": image,
            "command": ["python", "-m", f"pipeline.kubeflow.steps.{self.module}"],
            "args": [
                *("--task", self.name),
                *("--json_serialized_invocation_args", "{{$}}"),
            ],
        }


def prepare(
    config: SoukConfig, tables: list[str], choices: RunChoices, *, refit: bool = False
) -> OwnTask:
    """Run parameters → tables on the volume and the run's settings."""
    compiled = {
        names.COMPILED_CONFIG: run_values.compiled_in(config).to_json(),
        names.COMPILED_TABLES: json.dumps(tables),
        names.COMPILED_CHOICES: choices.to_json(),
        names.REFIT: json.dumps(refit),
    }
    constants = dict.fromkeys(compiled, _STRING)
    outputs = {
        name: _INTEGER if name == run_values.BEFORE else _STRING
        for name in (*run_values.of(config), *prepared_names())
    }
    component = {
        "inputDefinitions": _parameters({**RUN_PARAMETERS, **constants}),
        "outputDefinitions": {
            **_parameters(outputs),
            "artifacts": {
                names.SETTINGS: {
                    "artifactType": {
                        "schemaTitle": "system.Artifact",
                        "schemaVersion": "0.0.1",
                    }
                }
            },
        },
    }
    parameters = {name: component_input(name) for name in RUN_PARAMETERS}
    parameters |= {name: constant(value) for name, value in compiled.items()}
    task = {"inputs": {"parameters": parameters}}
    # What lies on the volume is no input that a cache could know of.
    return _named(names.PREPARE, "prepare", component, task, cache=False)


def last_blessed(model_type: Json, blessing_type: Json) -> OwnTask:
    """The served version → model and blessing, as TFX's resolver gives them."""
    inputs = (names.ROOT, names.SERVED_VERSION)
    component = {
        "inputDefinitions": _parameters(dict.fromkeys(inputs, _STRING)),
        "outputDefinitions": {
            "artifacts": {"model": model_type, "model_blessing": blessing_type}
        },
    }
    parameters = {name: prepared(name) for name in inputs}
    task = {
        "inputs": {"parameters": parameters},
        "dependentTasks": [names.PREPARE],
    }
    return _named(names.LAST_BLESSED, "last_blessed", component, task, cache=True)


def on_exit(report_type: Json) -> OwnTask:
    """Runs last and always; writes the report where the run could not."""
    types = {names.HOME: _STRING, names.SHOP: _STRING, "status": "TASK_FINAL_STATUS"}
    component = {
        "inputDefinitions": _parameters(types),
        "outputDefinitions": {"artifacts": {"report": report_type}},
    }
    task = {
        "inputs": {
            "parameters": {
                names.HOME: component_input(names.HOME),
                names.SHOP: component_input(names.SHOP),
                "status": {"taskFinalStatus": {"producerTask": names.DAG}},
            }
        },
        "dependentTasks": [names.DAG],
        "triggerPolicy": {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"},
    }
    return _named(names.ON_EXIT, "on_exit", component, task, cache=False)


def prepared_names() -> list[str]:
    """Prepare's outputs beyond `run_values`."""
    files = (*run_values.TABLES, "rejected", "items_schema", "events_schema", "preset")
    prints = [names.fingerprint_of(file) for file in files]
    return [names.ROOT, names.SERVED_VERSION, *prints]


def constant(value: Any) -> Json:
    return {"runtimeValue": {"constant": value}}


def component_input(name: str) -> Json:
    return {"componentInputParameter": name}


def prepared(name: str) -> Json:
    """The output parameter of Prepare as another task's input."""
    return {
        "taskOutputParameter": {
            "producerTask": names.PREPARE,
            "outputParameterKey": name,
        }
    }


def _parameters(types: dict[str, str]) -> Json:
    return {"parameters": {name: {"parameterType": t} for name, t in types.items()}}


def _named(
    name: str, module: str, component: Json, task: Json, *, cache: bool
) -> OwnTask:
    component["executorLabel"] = f"{name}_executor"
    task |= {"taskInfo": {"name": name}, "componentRef": {"name": name}}
    task["cachingOptions"] = {"enableCache": cache}
    return OwnTask(name, module, component, task)
