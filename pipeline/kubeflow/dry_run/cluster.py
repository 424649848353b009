"""Runs a compiled specification task by task, with retries, cache and exit handler."""

from __future__ import annotations

import dataclasses
import json
import time
import uuid
from collections.abc import Callable
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from pipeline.kubeflow.dry_run.driver import Driver, Json, Outputs
from pipeline.kubeflow.dry_run.launcher import Launcher

COMPLETE, CACHED, FAILED, SKIPPED = "COMPLETE", "CACHED", "FAILED", "SKIPPED"
_EXIT = "ALL_UPSTREAM_TASKS_COMPLETED"


@dataclasses.dataclass(frozen=True)
class TaskResult:
    """How one task ended; `log` is the folder of its last attempt."""

    name: str
    state: str
    seconds: float = 0.0
    attempts: int = 0
    log: Path | None = None


@dataclasses.dataclass(frozen=True)
class RunResult:
    """State of the run, its tasks in the order they ran, and what they put out."""

    state: str
    tasks: dict[str, TaskResult]
    outputs: dict[str, Outputs]


class LocalCluster:
    """A folder that stands for a cluster: artifact store, cache, attempts' logs."""

    def __init__(
        self,
        folder: Path,
        python: Path,
        on_task: Callable[[TaskResult], None] = lambda result: None,
    ) -> None:
        """
        Args:
          folder: store and logs; a second run in it finds the first one's cache.
          python: see Launcher.
          on_task: called after every task.
        """
        self._folder = folder
        self._launcher = Launcher(folder / "store", python)
        self._on_task = on_task
        self._cache = folder / "cache"

    def run(self, spec: Json, parameters: Json | None = None) -> RunResult:
        """Runs all tasks, one after another.

        Args:
          spec: PipelineSpec.
          parameters: run parameters that differ from the defaults.
        """
        driver = Driver(spec, run=str(uuid.uuid4()))
        declared = spec["root"]["inputDefinitions"]["parameters"]
        given = {name: each["defaultValue"] for name, each in declared.items()}
        given |= parameters or {}
        run = _Run(driver, {}, {})
        state = self._run_dag(spec["root"]["dag"], given, run)
        return RunResult(state, run.results, run.outputs)

    def _run_dag(self, dag: Json, parameters: Json, run: _Run) -> str:
        """Final state of a DAG; its exit handlers run whatever that is."""
        tasks = dag["tasks"]
        last = {n for n, t in tasks.items() if _strategy(t) == _EXIT}
        states: dict[str, str] = {}
        for name in _ordered({n: t for n, t in tasks.items() if n not in last}):
            needed = set(tasks[name].get("dependentTasks", ()))
            if FAILED in {states[n] for n in needed} or SKIPPED in {
                states[n] for n in needed
            }:
                states[name] = SKIPPED
                run.results[name] = TaskResult(name, SKIPPED)
                continue
            states[name] = self._run_task(name, tasks[name], parameters, run, states)
        for name in sorted(last):
            states[name] = self._run_task(name, tasks[name], parameters, run, states)
        return FAILED if FAILED in states.values() else COMPLETE

    def _run_task(
        self, name: str, task: Json, parent: Json, run: _Run, states: Json
    ) -> str:
        driver = run.driver
        parameters = driver.parameters(task, parent, run.outputs, states)
        inner = driver.component(task).get("dag")
        if inner:
            return self._run_dag(inner, parameters, run)
        started = time.monotonic()
        result = self._run_container(name, task, parameters, run)
        result = dataclasses.replace(result, seconds=time.monotonic() - started)
        run.results[name] = result
        self._on_task(result)
        return result.state

    def _run_container(
        self, name: str, task: Json, parameters: Json, run: _Run
    ) -> TaskResult:
        attempts = 1 + int(task.get("retryPolicy", {}).get("maxRetryCount", 0))
        work = self._folder / "logs" / name
        for attempt in range(1, attempts + 1):
            folder = work / uuid.uuid4().hex[:8]
            message = run.driver.executor_input(
                name, task, parameters, run.outputs, str(folder / "out")
            )
            key = run.driver.cache_key(task, message)
            if task.get("cachingOptions", {}).get("enableCache"):
                known = self._known(key)
                if known is not None:
                    run.outputs[name] = known
                    return TaskResult(name, CACHED)
            command = run.driver.command(task, message)
            outputs = self._launcher.run(name, command, message, folder)
            if outputs is not None:
                run.outputs[name] = outputs
                self._remember(key, outputs)
                return TaskResult(name, COMPLETE, attempts=attempt, log=folder)
        return TaskResult(name, FAILED, attempts=attempts, log=folder)

    def _known(self, key: str) -> Outputs | None:
        path = self._cache / key
        if not path.is_file():
            return None
        return Outputs(**json.loads(path.read_text(encoding="utf-8")))

    def _remember(self, key: str, outputs: Outputs) -> None:
        self._cache.mkdir(parents=True, exist_ok=True)
        text = json.dumps(dataclasses.asdict(outputs))
        (self._cache / key).write_text(text, encoding="utf-8")


@dataclasses.dataclass
class _Run:
    driver: Driver
    results: dict[str, TaskResult]
    outputs: dict[str, Outputs]


def _strategy(task: Json) -> Any:
    return task.get("triggerPolicy", {}).get("strategy")


def _ordered(tasks: Json) -> list[str]:
    """Names so that each comes after those it depends on."""
    graph = {name: set(task.get("dependentTasks", ())) for name, task in tasks.items()}
    return list(TopologicalSorter(graph).static_order())
