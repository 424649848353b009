"""Executions and artifacts of the newest run, from ML Metadata or step records."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from components.report.data import ArtifactRecord, ExecutionRecord
from components.report.step_records import read_records
from core.disk import bytes_below

_RUN, _NODE = "pipeline_run", "node"
_OUTPUTS = (mlmd.Event.OUTPUT, mlmd.Event.DECLARED_OUTPUT)
_INPUTS = (mlmd.Event.INPUT, mlmd.Event.DECLARED_INPUT)


def read_lineage(metadata_path: str | Path) -> tuple[ExecutionRecord, ...]:
    """Executions of the newest pipeline run, in order; empty without a store.

    Args:
      metadata_path: ML Metadata's SQLite file, or a folder of step records.
    """
    if Path(metadata_path).is_dir():
        return read_records(Path(metadata_path))
    if not Path(metadata_path).is_file():
        return ()
    config = mlmd.ConnectionConfig()
    config.sqlite.filename_uri = str(metadata_path)
    config.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READONLY
    store = MetadataStore(config)
    runs = store.get_contexts_by_type(_RUN)
    if not runs:
        return ()
    newest = max(runs, key=lambda context: int(context.id))
    executions = store.get_executions_by_context(newest.id)
    reader = _Reader(store)
    records = [reader.record(e) for e in sorted(executions, key=lambda e: int(e.id))]
    return tuple(records)


def folder_size(uri: str) -> int | None:
    """Bytes below a folder (or of a file); None where it does not exist."""
    path = Path(uri)
    if path.is_file():
        return path.stat().st_size
    if not path.is_dir():
        return None
    return bytes_below(path)


class _Reader:
    def __init__(self, store: MetadataStore) -> None:
        self._store = store
        self._types = {int(t.id): t.name for t in store.get_artifact_types()}

    def record(self, execution: Any) -> ExecutionRecord:
        events = self._store.get_events_by_execution_ids([execution.id])
        ids = sorted({e.artifact_id for e in events})
        artifacts = {a.id: a for a in self._store.get_artifacts_by_id(ids)}
        found: dict[bool, list[ArtifactRecord]] = defaultdict(list)
        for event in events:
            is_output = event.type in _OUTPUTS
            if not is_output and event.type not in _INPUTS:
                continue
            artifact = artifacts[event.artifact_id]
            found[is_output].append(
                ArtifactRecord(
                    key=_key(event),
                    type_name=self._types.get(int(artifact.type_id), ""),
                    artifact_id=int(artifact.id),
                    uri=artifact.uri,
                    size_bytes=folder_size(artifact.uri) if is_output else None,
                )
            )
        state = mlmd.Execution.State.Name(execution.last_known_state).lower()
        original = execution
        if state == "cached" and found[True]:
            original = self._producer(found[True][0].artifact_id) or execution
        return ExecutionRecord(
            execution_id=int(execution.id),
            component=self._component(execution),
            state=state,
            seconds=_seconds(original),
            started=float(execution.create_time_since_epoch) / 1000.0,
            inputs=tuple(found[False]),
            outputs=tuple(found[True]),
        )

    def _component(self, execution: Any) -> str:
        for context in self._store.get_contexts_by_execution(execution.id):
            if context.type == _NODE:
                return str(context.name).rpartition(".")[2]
        return f"execution {execution.id}"

    def _producer(self, artifact_id: int) -> Any:
        events = self._store.get_events_by_artifact_ids([artifact_id])
        makers = sorted(e.execution_id for e in events if e.type in _OUTPUTS)
        found = self._store.get_executions_by_id(makers[:1])
        return found[0] if found else None


def _seconds(execution: Any) -> float:
    span = execution.last_update_time_since_epoch - execution.create_time_since_epoch
    return max(0.0, float(span) / 1000.0)


def _key(event: Any) -> str:
    return next((step.key for step in event.path.steps if step.key), "")
