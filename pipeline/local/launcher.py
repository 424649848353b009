"""TFX's launcher in three parts, so that other steps can go on between them.

`prepare` and `publish` read and write ML Metadata and belong to the process that runs
the DAG; `execute` is the step's own work and may happen in another process. TFX's
`launch` does the three in one go, and opens a port for executors that report to it
under way: none of ours does.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfx import types
from tfx.orchestration.portable import launcher
from tfx.proto.orchestration import execution_result_pb2

logger = logging.getLogger("souk")

RUNNING, FINISHED, CACHED, FAILED = "running", "finished", "cached", "failed"


class StepLauncher(launcher.Launcher):  # type: ignore[misc]
    """One node of one run; reports its start and its end to the `souk` logger."""

    def __init__(self, pipeline_node: Any, **arguments: Any) -> None:
        super().__init__(pipeline_node=pipeline_node, **arguments)
        self.node_id = str(pipeline_node.node_info.id)
        self._execution: Any = None
        self._contexts: Any = None

    def prepare(self) -> bool:
        """Resolves the inputs; returns whether `execute` and `publish` are to follow.

        They are not where outputs come from the cache, nor for a resolver, which TFX
        runs itself: then the node has ended. If they are, nothing lies where `execute`
        is to write.
        """
        _report(self.node_id, RUNNING)
        if self._system_node_handler is not None:
            self._system_node_handler.run(
                self._mlmd_connection,
                self._pipeline_node,
                self._pipeline_info,
                self._pipeline_runtime_spec,
            )
            _report(self.node_id, FINISHED)
            return False
        prepared = self._prepare_execution()
        self._execution, self._contexts = prepared.execution_info, prepared.contexts
        if not prepared.is_execution_needed:
            _report(self.node_id, CACHED)
            return False
        _remove_debris(self._execution.output_dict)
        return True

    def execute(self) -> bytes:
        """Does the step's work; returns TFX's ExecutorOutput, serialized."""
        output: bytes = self._run_executor(self._execution).SerializeToString()
        return output

    def publish(self, output: bytes) -> None:
        """Records what `execute` returned; only now do later nodes see the outputs."""
        self._clean_up_stateless_execution_info(self._execution)
        self._clean_up_stateful_execution_info(self._execution)
        self._publish_successful_execution(
            self._execution.execution_id,
            self._contexts,
            self._execution.output_dict,
            execution_result_pb2.ExecutorOutput.FromString(output),
        )
        _report(self.node_id, FINISHED)

    def publish_failure(self) -> None:
        """Records that `execute` failed."""
        self._clean_up_stateless_execution_info(self._execution)
        self._publish_failed_execution(self._execution.execution_id, self._contexts)
        _report(self.node_id, FAILED)


def _remove_debris(outputs: Mapping[str, Sequence[types.Artifact]]) -> None:
    """Removes what lies where a step is to write.

    Folders are called after the execution's number. A metadata store that was deleted
    or restored counts again from numbers that have folders; a step that adds files to
    one would give the old rows out with its own.
    """
    for artifacts in outputs.values():
        for artifact in artifacts:
            path = Path(artifact.uri)
            if artifact.is_external:  # not TFX's to manage
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:  # a value is one file
                path.unlink(missing_ok=True)


def _report(node_id: str, state: str) -> None:
    extra = {"souk_component": node_id, "souk_state": state}
    logger.info("Component %s is %s.", node_id, state, extra=extra)
