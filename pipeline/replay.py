"""Runs one Beam step of a finished run again, with other Beam options, elsewhere.

Its inputs and parameters are those that ML Metadata recorded; its outputs go to a new
folder, the run's own stay as they are. So one step can be timed and compared on two
engines.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfx.dsl.components.base import base_beam_executor
from tfx.orchestration import data_types_utils, metadata
from tfx.orchestration.portable.mlmd import execution_lib
from tfx.utils import import_utils

from core.errors import ArtifactError
from core.layout import HomeLayout
from trainer.traced import spare_libraries

# Node id → its executor, of every step that runs on Beam and needs no training.
EXECUTORS = {
    "IngestEvents": "components.ingest.executor.Executor",
    "Clean": "components.clean.executor.Executor",
    "StatisticsEvents": "tfx.components.statistics_gen.executor.Executor",
    "JoinHistory": "components.join_history.executor.Executor",
    "Transform": "tfx.components.transform.executor.Executor",
    "MineNegatives": "components.mine_negatives.executor.Executor",
    "MineSearches": "components.mine_searches.executor.Executor",
    "EvaluateFunnel": "components.evaluate_funnel.component.EvaluateFunnel_Executor",
    "EvaluateSearch": "components.evaluate_search.component.EvaluateSearch_Executor",
    "Evaluator": "tfx.components.evaluator.executor.Executor",
}


def replay(
    layout: HomeLayout, node_id: str, beam_args: Sequence[str], folder: Path
) -> float:
    """Runs the step; returns its seconds.

    Args:
      layout: of a run in which the step was executed.
      node_id: one of EXECUTORS.
      beam_args: options of its Beam pipelines.
      folder: new; each output artifact gets `folder/KEY`.

    Raises:
      ArtifactError: no such execution is recorded.
    """
    inputs, outputs, properties = _recorded(layout, node_id)
    for key, artifacts in outputs.items():
        for artifact in artifacts:
            artifact.uri = str(folder.resolve() / key)
            Path(artifact.uri).mkdir(parents=True)
    context = base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=list(beam_args),
        tmp_dir=str(folder.resolve() / "tmp"),
        unique_id=node_id,
    )
    spare_libraries()  # as a run does
    executor = import_utils.import_class_by_path(EXECUTORS[node_id])(context)
    started = time.monotonic()
    executor.Do(inputs, outputs, properties)
    return time.monotonic() - started


def _recorded(layout: HomeLayout, node_id: str) -> tuple[Any, Any, dict[str, Any]]:
    """Input artifacts, output artifacts and parameters of the newest execution."""
    connection = metadata.sqlite_metadata_connection_config(str(layout.metadata))
    name = f"souk-{layout.shop}.{node_id}"
    with metadata.Metadata(connection) as handle:
        node = handle.store.get_context_by_type_and_name("node", name)
        executions = handle.store.get_executions_by_context(node.id) if node else []
        done = [e for e in executions if e.last_known_state == e.COMPLETE]
        if not done:
            raise ArtifactError(
                f"`{layout.metadata}` must record a finished {node_id}. Received: "
                f"none. Run `souk run {layout.shop}` first."
            )
        newest = max(done, key=lambda execution: int(execution.id))
        inputs = execution_lib.get_input_artifacts(handle, newest.id)
        outputs = execution_lib.get_output_artifacts(handle, newest.id)
    properties = {
        key: data_types_utils.get_metadata_value(value)
        for key, value in newest.custom_properties.items()
        if not execution_lib.is_internal_key(key)
    }
    return inputs, outputs, properties
