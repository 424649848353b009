"""Edits to the tasks that TFX compiled, so that any KFP v2 cluster runs them.

Each function changes one thing of a spec in place. TFX's compiler writes for Vertex AI:
settings as constants, a resolver that open-source KFP refuses, a hook it ignores.
"""

from __future__ import annotations

import json
from typing import Any

from core.config.souk import SoukConfig
from core.layout import HomeLayout
from pipeline.kubeflow import names, own_tasks, run_values
from pipeline.kubeflow.own_tasks import Json, OwnTask

_RESOLVER_TASKS = {
    f"{names.LAST_BLESSED}-model-resolver": "model",
    f"{names.LAST_BLESSED}-model-blessing-resolver": "model_blessing",
}
_STEP = ["python", "-m", "pipeline.kubeflow.steps.component"]
_INPUTS_FLAG = "--json_serialized_inputs_spec_args"


def executor_of(spec: Json, name: str) -> Json:
    """The executor of a task; component and executor have the task's name."""
    found: Json = spec["deploymentSpec"]["executors"][f"{name}_executor"]
    return found


def add(spec: Json, tasks: Json, own: OwnTask, image: str) -> None:
    """Adds a task of ours with its component and container."""
    tasks[own.name] = own.task
    spec["components"][own.name] = own.component
    executors = spec["deploymentSpec"]["executors"]
    executors[own.component["executorLabel"]] = {"container": own.container(image)}


def use_run_values(tasks: Json, config: SoukConfig) -> None:
    """Parameters that a run decides on come from Prepare instead of being constants."""
    by_value: dict[Any, str] = {v: name for name, v in run_values.of(config).items()}
    for task in tasks.values():
        parameters = task.get("inputs", {}).get("parameters", {})
        for key, given in parameters.items():
            value = given.get("runtimeValue", {}).get("constant")
            if isinstance(value, str | float) and value in by_value:
                parameters[key] = own_tasks.prepared(by_value[value])


def use_root(tasks: Json, layout: HomeLayout) -> None:
    """Paths below the shop's home become relative to the folder of the run's shop."""
    here = str(layout.root)
    for task in tasks.values():
        for given in task.get("inputs", {}).get("parameters", {}).values():
            value = given.get("runtimeValue", {}).get("constant")
            if isinstance(value, str) and here in value:
                filled = value.replace(here, names.ROOT_TOKEN)
                given["runtimeValue"]["constant"] = filled


def use_fingerprints(spec: Json, tasks: Json) -> None:
    """Ingest, Clean, CurateSchema and TextEncoder are cached by content they read.

    They name files on the volume, whose content KFP's cache key does not hold.
    """
    readers = {f"Ingest{table.title()}": table for table in run_values.TABLES}
    readers |= {"Clean": "rejected", "TextEncoder": "preset"}
    for task, file in readers.items():
        name = names.fingerprint_of(file)
        add_parameter(spec, tasks, task, name, own_tasks.prepared(name))
    for table in ("items", "events"):
        name = names.fingerprint_of(f"{table}_schema")
        task = f"CurateSchema{table.title()}"
        add_parameter(spec, tasks, task, "fingerprint", own_tasks.prepared(name))


def replace_resolver(spec: Json, tasks: Json, image: str) -> None:
    """LastBlessed's two resolver tasks become one container that reads the volume."""
    if not set(_RESOLVER_TASKS) <= set(tasks):
        return  # a shop without events has none
    types = {}
    for name, output in _RESOLVER_TASKS.items():
        definition = spec["components"].pop(name)["outputDefinitions"]["artifacts"]
        types[output] = definition[output]
        del tasks[name], spec["deploymentSpec"]["executors"][f"{name}_executor"]
    for task in tasks.values():
        for given in task.get("inputs", {}).get("artifacts", {}).values():
            produced = given["taskOutputArtifact"]
            if produced["producerTask"] in _RESOLVER_TASKS:
                produced["producerTask"] = names.LAST_BLESSED
        needed = task.get("dependentTasks", [])
        if any(name in _RESOLVER_TASKS for name in needed):
            others = {name for name in needed if name not in _RESOLVER_TASKS}
            task["dependentTasks"] = sorted({*others, names.LAST_BLESSED})
    own = own_tasks.last_blessed(types["model"], types["model_blessing"])
    add(spec, tasks, own, image)


def use_step_entrypoint(spec: Json, tasks: Json, components: list[str]) -> None:
    """TFX's executors run behind our entry point, and know the shop's folder."""
    kept = _read_by_report(tasks)
    for name in components:
        add_parameter(spec, tasks, name, names.ROOT, own_tasks.prepared(names.ROOT))
        needed = tasks[name].get("dependentTasks", [])
        tasks[name]["dependentTasks"] = sorted({*needed, names.PREPARE})
        container = executor_of(spec, name)["container"]
        container.pop("lifecycle", None)  # open-source KFP does not run it
        container["command"] = list(_STEP)
        keep = [flag for pair in kept.get(name, ()) for flag in ("--keep", pair)]
        args = container["args"]
        definitions = spec["components"][name]["inputDefinitions"]
        place = args.index(_INPUTS_FLAG) + 1
        args[place] = json.dumps(definitions, sort_keys=True)
        # Remote Beam workers run in the image; TFX then packs no source of its own.
        workers = f"--sdk_container_image={container['image']}"
        container["args"] = ["--task", name, *keep, *args, workers]


def _read_by_report(tasks: Json) -> dict[str, list[str]]:
    """OUTPUT=INPUT OF THE REPORT by the task that makes the output."""
    kept: dict[str, list[str]] = {}
    if names.REPORT not in tasks:
        return kept  # a refit has none
    for key, given in sorted(tasks[names.REPORT]["inputs"]["artifacts"].items()):
        produced = given["taskOutputArtifact"]
        pair = f"{produced['outputArtifactKey']}={key}"
        kept.setdefault(produced["producerTask"], []).append(pair)
    return kept


def read_records_in_report(tasks: Json) -> None:
    """The report's lineage comes from the steps' records; it is never cached."""
    if names.REPORT not in tasks:
        return
    task = tasks[names.REPORT]
    parameters = task["inputs"]["parameters"]
    folder = f"{names.ROOT_TOKEN}/{names.RUNS}/{names.RUN_TOKEN}"
    parameters["metadata_path"] = own_tasks.constant(folder)
    parameters["shop"] = own_tasks.component_input(names.SHOP)
    task["cachingOptions"] = {"enableCache": False}


def add_parameter(
    spec: Json, tasks: Json, task: str, name: str, value: dict[str, Any]
) -> None:
    """Sets a string parameter of a task; a task that is not there has none to set."""
    if task not in tasks:
        return
    component = spec["components"][task]
    inputs = component.setdefault("inputDefinitions", {})
    inputs.setdefault("parameters", {})[name] = {"parameterType": "STRING"}
    tasks[task].setdefault("inputs", {}).setdefault("parameters", {})[name] = value
