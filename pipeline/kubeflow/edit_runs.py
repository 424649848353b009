"""Edits to how a spec is run: resources, retries, caches, exit handler, parameters."""

from __future__ import annotations

from pipeline.kubeflow import edit_tasks, names, own_tasks
from pipeline.kubeflow.config import ClusterConfig, StepConfig
from pipeline.kubeflow.own_tasks import Json
from pipeline.local.dag import UNCACHED


def use_cluster(spec: Json, tasks: Json, cluster: ClusterConfig) -> None:
    """Requests and limits, retries and caching of every task."""
    for name, task in tasks.items():
        if name == names.DAG:
            continue
        step = cluster.step(name)
        edit_tasks.executor_of(spec, name)["container"]["resources"] = _resources(step)
        if step.retries:
            task["retryPolicy"] = {
                "maxRetryCount": step.retries,
                "backoffDuration": "30s",
                "backoffFactor": 2.0,
                "backoffMaxDuration": "600s",
            }
        if not cluster.cache or name in UNCACHED:
            task["cachingOptions"] = {"enableCache": False}


def _resources(step: StepConfig) -> Json:
    found: Json = {
        "cpuRequest": step.cpu,
        "cpuLimit": step.cpu,
        "memoryRequest": step.memory_gb,
        "memoryLimit": step.memory_gb,
    }
    if step.gpus:
        found["accelerator"] = {"type": step.gpu_type, "count": str(step.gpus)}
    return found


def wrap_in_exit_handler(
    spec: Json, tasks: Json, defaults: dict[str, str | int], image: str
) -> None:
    """The tasks become one DAG, which OnExit follows whatever becomes of it.

    A refit has no report, so nothing follows it.
    """
    parameters = {
        name: {"parameterType": kind} for name, kind in own_tasks.RUN_PARAMETERS.items()
    }
    spec["components"][names.DAG] = {
        "inputDefinitions": {"parameters": parameters},
        "dag": {"tasks": tasks},
    }
    dag = {
        "taskInfo": {"name": names.DAG},
        "componentRef": {"name": names.DAG},
        "inputs": {
            "parameters": {name: own_tasks.component_input(name) for name in parameters}
        },
        "cachingOptions": {},
    }
    root = {names.DAG: dag}
    if names.REPORT in tasks:
        report = spec["components"][names.REPORT]["outputDefinitions"]["artifacts"]
        edit_tasks.add(spec, root, own_tasks.on_exit(report["report"]), image)
    spec["root"] = {
        "inputDefinitions": {
            "parameters": {
                name: {**kind, "defaultValue": defaults[name], "isOptional": True}
                for name, kind in parameters.items()
            }
        },
        "dag": {"tasks": root},
    }


def volume(labels: list[str], claim: str, home: str) -> Json:
    """KFP's platform part: the claim mounted at the home in every container.

    {} for no claim.
    """
    if not claim:
        return {}
    mount = {
        "mountPath": home,
        "constant": claim,
        "pvcNameParameter": {"runtimeValue": {"constant": claim}},
    }
    executors = {label: {"pvcMount": [mount]} for label in labels}
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}
