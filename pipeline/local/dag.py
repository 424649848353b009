"""A runner of TFX pipelines: a node starts as soon as what it waits for is there."""

from __future__ import annotations

import datetime
import gc
import os
from collections.abc import Callable
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from tensorflow.python.eager import context
from tfx.dsl.compiler import constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import runtime_parameter_utils, tfx_runner

from pipeline.local.launcher import StepLauncher
from pipeline.local.order import Order
from pipeline.local.process import WorkProcess
from pipeline.local.step_code import add_code_digest
from pipeline.local.step_files import add_file_digest
from trainer.traced import spare_libraries

_REFRESH_SECONDS = 0.1
# What these leave may be gone or older by now: a version served, a page.
UNCACHED = ("Pusher", "Report")


class DagRunner(tfx_runner.IrBasedRunner):  # type: ignore[misc]
    """Runs at most `jobs` nodes at once.

    Args:
      jobs: 1 runs each node in this process, one after the other; with more, each has a
        process of its own (`pipeline.local.process` says when that is safe).
      refresh: called about ten times a second while processes run.

    Where a node fails, those that are running end and are recorded; no other starts.
    """

    def __init__(self, jobs: int, refresh: Callable[[], None] = lambda: None) -> None:
        self._jobs = jobs
        self._refresh = refresh

    def run_with_ir(self, pipeline: Any, run_options: Any = None) -> None:
        """Runs a compiled pipeline; raises what the first failing node raised."""
        if run_options is not None:
            raise NotImplementedError("Partial runs are not supported.")
        spare_libraries()
        runtime_parameter_utils.substitute_runtime_parameter(
            pipeline,
            {
                constants.PIPELINE_RUN_ID_PARAMETER_NAME: (
                    datetime.datetime.now().isoformat()
                )
            },
        )
        steps = {step.node_id: step for step in launchers(pipeline)}
        nodes = [node.pipeline_node for node in pipeline.nodes]
        order = Order({n.node_info.id: n.upstream_nodes for n in nodes})
        if self._jobs == 1:
            _one_by_one(steps, order)
        else:
            _Processes(steps, order, self._jobs, self._refresh).run()


def _one_by_one(steps: dict[str, StepLauncher], order: Order) -> None:
    while (node := order.next()) is not None:
        step = steps[node]
        if step.prepare():
            try:
                output = step.execute()
            except Exception:
                step.publish_failure()
                raise
            step.publish(output)
        order.finished(node)


class _Processes:
    """The nodes that run now, each in its process; all else happens in this thread."""

    def __init__(
        self,
        steps: dict[str, StepLauncher],
        order: Order,
        jobs: int,
        refresh: Callable[[], None],
    ) -> None:
        self._steps, self._order = steps, order
        self._jobs, self._refresh = jobs, refresh
        self._running: dict[Any, WorkProcess] = {}  # by connection
        self._failure: Exception | None = None

    def run(self) -> None:
        gc.collect()
        gc.freeze()  # what is here now stays shared with every fork
        try:
            self._start()
            while self._running:
                for connection in wait(list(self._running), _REFRESH_SECONDS):
                    self._read(connection)
                self._start()
                self._refresh()
        finally:
            gc.unfreeze()
            for process in self._running.values():
                process.kill()
        if self._failure is not None:
            raise self._failure

    def _start(self) -> None:
        while self._failure is None and len(self._running) < self._jobs:
            node = self._order.next()
            if node is None:
                return
            step = self._steps[node]
            if step.prepare():
                process = WorkProcess(node, step.execute)
                self._running[process.connection] = process
            else:
                self._order.finished(node)

    def _read(self, connection: Any) -> None:
        process = self._running[connection]
        step = self._steps[process.name]
        try:
            ended, output = process.read()
        except Exception as error:
            del self._running[connection]
            step.publish_failure()
            self._failure = self._failure or error
            return
        if ended:
            del self._running[connection]
            step.publish(output)
            self._order.finished(process.name)


def default_jobs(devices: Path = Path("/dev")) -> int:
    """Two where processes may be forked and there are processors for them.

    One with a GPU, which they would have to share.

    Args:
      devices: where an NVIDIA GPU's `nvidia0` would be.
    """
    if len(os.sched_getaffinity(0)) < 2 or (devices / "nvidia0").exists():
        return 1
    return 2 if may_fork() else 1


def may_fork() -> bool:
    """Whether TensorFlow has not run in this process: a fork has none of its threads.

    Its first op there would wait for them for ever. There is no public way to ask.
    """
    return context.context_safe() is None or not context.context()._initialized


def launchers(pipeline: Any) -> list[StepLauncher]:
    """One for each node; making it imports its executor."""
    deployment = runner_utils.extract_local_deployment_config(pipeline)
    connection = deployment.metadata_connection_config
    config = getattr(connection, connection.WhichOneof("connection_config"))
    found = []
    for node in pipeline.nodes:
        name = node.pipeline_node.node_info.id
        executor = runner_utils.extract_executor_spec(deployment, name)
        if executor is not None:  # a resolver has none
            add_code_digest(executor, node.pipeline_node)
            add_file_digest(executor, node.pipeline_node)
        if name in UNCACHED:
            caching = node.pipeline_node.execution_options.caching_options
            caching.enable_cache = False
        found.append(
            StepLauncher(
                pipeline_node=node.pipeline_node,
                mlmd_connection=metadata.Metadata(config),
                pipeline_info=pipeline.pipeline_info,
                pipeline_runtime_spec=pipeline.runtime_spec,
                executor_spec=executor,
                custom_driver_spec=runner_utils.extract_custom_driver_spec(
                    deployment, name
                ),
            )
        )
    return found
