"""LocalDagRunner that says which component starts, ends, or comes from the cache.

TFX itself logs this through absl, whose level some components change under way.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from tfx.orchestration.local import local_dag_runner
from tfx.orchestration.portable import launcher

logger = logging.getLogger("souk")

RUNNING, FINISHED, CACHED = "running", "finished", "cached"


class ObservedLauncher(launcher.Launcher):  # type: ignore[misc]
    """Reports the start and the end of its node in records of the `souk` logger."""

    def __init__(self, pipeline_node: Any, **arguments: Any) -> None:
        super().__init__(pipeline_node=pipeline_node, **arguments)
        self._node_id = pipeline_node.node_info.id
        self._executed = False

    def launch(self) -> Any:
        _report(self._node_id, RUNNING)
        result = super().launch()
        # A resolver is run by TFX itself: it has no executor and no cache.
        computed = self._executed or self._system_node_handler is not None
        _report(self._node_id, FINISHED if computed else CACHED)
        return result

    def _run_executor(self, execution_info: Any) -> Any:
        self._executed = True
        return super()._run_executor(execution_info)


def run(pipeline: Any) -> None:
    """Runs a pipeline in this process, node by node, each reported."""
    with _observed():
        local_dag_runner.LocalDagRunner().run(pipeline)


@contextlib.contextmanager
def _observed() -> Iterator[None]:
    original = local_dag_runner.launcher.Launcher
    local_dag_runner.launcher.Launcher = ObservedLauncher
    try:
        yield
    finally:
        local_dag_runner.launcher.Launcher = original


def _report(node_id: str, state: str) -> None:
    extra = {"souk_component": node_id, "souk_state": state}
    logger.info("Component %s is %s.", node_id, state, extra=extra)
