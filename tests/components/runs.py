"""Runs component nodes with TFX's own local runner and gives back their artifacts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ml_metadata.metadata_store import metadata_store
from tfx.orchestration import metadata, pipeline
from tfx.orchestration.local import local_dag_runner


def run_nodes(root: Path, nodes: Sequence[Any], cache: bool = True) -> None:
    """Runs the nodes as one pipeline below `root`, MLMD in `root/metadata.sqlite`."""
    local_dag_runner.LocalDagRunner().run(
        pipeline.Pipeline(
            pipeline_name="test",
            pipeline_root=str(root / "tfx"),
            components=list(nodes),
            enable_cache=cache,
            metadata_connection_config=_connection(root),
        )
    )


def output_uri(root: Path, node_id: str, key: str) -> str:
    """Uri of the newest artifact that a node wrote under this output key."""
    folders = (root / "tfx" / node_id / key).iterdir()
    return str(max(folders, key=lambda folder: int(folder.name)))


def execution_states(root: Path) -> dict[str, list[str]]:
    """Node id → states of its executions, oldest first (`COMPLETE`, `CACHED`, …)."""
    store = metadata_store.MetadataStore(_connection(root))
    states: dict[str, list[str]] = {}
    types = {t.id: t.name for t in store.get_execution_types()}
    for execution in store.get_executions():
        name = types[execution.type_id].rsplit(".", 1)[-1]
        for context in store.get_contexts_by_execution(execution.id):
            if context.name.startswith("test."):
                name = context.name.removeprefix("test.")
        state = execution.State.Name(execution.last_known_state)
        states.setdefault(name, []).append(state)
    return states


def _connection(root: Path) -> Any:
    root.mkdir(parents=True, exist_ok=True)
    return metadata.sqlite_metadata_connection_config(str(root / "metadata.sqlite"))


def newest_artifact(root: Path, type_name: str) -> Any:
    """The last registered artifact of a type, as MLMD holds it."""
    store = metadata_store.MetadataStore(_connection(root))
    return max(store.get_artifacts_by_type(type_name), key=lambda a: a.id)
