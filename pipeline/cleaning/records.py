"""What ML Metadata says of a home: which artifacts a later run may still take."""

from __future__ import annotations

import dataclasses
import itertools
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from components.comparable import bundle_facts, is_comparable
from core.errors import ArtifactError
from core.layout import HomeLayout
from pipeline.cleaning.places import place_of

_ENDED = (mlmd.Execution.COMPLETE, mlmd.Execution.CACHED)
_INPUTS = (
    mlmd.Event.INPUT,
    mlmd.Event.DECLARED_INPUT,
    mlmd.Event.INTERNAL_INPUT,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Needed:
    """What stays, and why."""

    num_runs: int  # that are recorded
    num_kept: int
    since: float  # seconds UTC, when the oldest kept run began
    artifacts: frozenset[int]
    places: frozenset[str]  # of these artifacts
    models: frozenset[str]  # places of those that a run may be compared with


class Records:
    """One home's ML Metadata.

    Raises:
      ArtifactError: there is none, so that nobody knows what is needed.
    """

    def __init__(self, layout: HomeLayout) -> None:
        if not layout.metadata.is_file():
            raise ArtifactError(
                f"`{layout.metadata}` must say which folders are needed. Received: no "
                f"such file. Name a shop that `souk run` has run, and its --home."
            )
        config = mlmd.ConnectionConfig()
        config.sqlite.filename_uri = str(layout.metadata)
        config.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READWRITE
        self._store, self._layout = MetadataStore(config), layout

    def needed(self, keep: int) -> Needed:
        """What the newest runs made or took, and what they may be compared with.

        A refit counts as part of the run before it. The newest run that came to its
        end stays whatever followed: after some that failed, the next goes on from it.

        Args:
          keep: so many runs, at least 1.
        """
        runs = self._runs()
        whole = (run for run in reversed(runs) if self._came_to_an_end(run))
        ended = list(itertools.islice(whole, 1))
        kept = ended + [run for run in runs[-keep:] if run not in ended]
        contexts = [context for run in kept for context in run]
        used = self._used_by(self._executions(contexts))
        compared, models = self._compared(used)
        artifacts = self._store.get_artifacts_by_id(sorted(used | compared))
        begun = [context.create_time_since_epoch for context in contexts]
        return Needed(
            num_runs=len(runs),
            num_kept=len(kept),
            since=min(begun, default=0) / 1000,
            artifacts=frozenset(used | compared),
            places=frozenset(filter(None, (place_of(a.uri) for a in artifacts))),
            models=models,
        )

    def mark_deleted(self, needed: Needed) -> None:
        """Records that what is not needed, or is gone already, is no more.

        Neither TFX's cache nor a resolver takes an artifact in this state.
        """
        dead = []
        for artifact in self._store.get_artifacts():
            place = place_of(artifact.uri)
            if artifact.state != mlmd.Artifact.LIVE or not place:
                continue
            there = (self._layout.tfx / place).exists()
            if artifact.id not in needed.artifacts or not there:
                artifact.state = mlmd.Artifact.DELETED
                dead.append(artifact)
        if dead:
            self._store.put_artifacts(dead)

    def _runs(self) -> list[list[Any]]:
        """Contexts of each run and of its refit, oldest first."""
        found: list[list[Any]] = []
        refits = f"souk-{self._layout.shop}-refit"
        contexts = self._store.get_contexts_by_type("pipeline_run")
        for context in sorted(contexts, key=lambda context: int(context.id)):
            parents = self._store.get_parent_contexts_by_context(context.id)
            if found and any(parent.name == refits for parent in parents):
                found[-1].append(context)
            else:
                found.append([context])
        return found

    def _came_to_an_end(self, run: Sequence[Any]) -> bool:
        """Whether its last step but the report did, with a model pushed or not."""
        return any(
            context.type == "node" and context.name.endswith(".Pusher")
            for execution in self._executions(run)
            for context in self._store.get_contexts_by_execution(execution.id)
        )

    def _executions(self, contexts: Iterable[Any]) -> list[Any]:
        """Those that ended well."""
        found = (self._store.get_executions_by_context(c.id) for c in contexts)
        return [e for some in found for e in some if e.last_known_state in _ENDED]

    def _used_by(self, executions: Sequence[Any], inputs: bool = True) -> set[int]:
        """Artifacts that they made, found in the cache, or read."""
        ids = [execution.id for execution in executions]
        events = self._store.get_events_by_execution_ids(ids) if ids else []
        return {e.artifact_id for e in events if inputs or e.type not in _INPUTS}

    def _compared(self, used: set[int]) -> tuple[set[int], frozenset[str]]:
        """Models and blessings that the LastBlessed of a later run may pick.

        That is what it picks for the dates of the runs that stay, and for any later
        date, whichever of the events is predicted; and the last one of all.

        Args:
          used: artifacts of the runs that stay.

        Returns:
          The artifacts, and the places of the models.
        """
        found = self._store.get_artifacts_by_id(sorted(used))
        kept_facts = [bundle_facts(self._folder(artifact)) for artifact in found]
        starts = {facts["as_of"] for facts in kept_facts if "as_of" in facts}
        blessings = self._blessings()
        blessed = self._store.get_artifacts_by_id(sorted(blessings))
        models = [model for model in blessed if model.state == mlmd.Artifact.LIVE]
        models.sort(key=lambda model: int(model.id), reverse=True)
        picked = self._picked(models, starts | {sys.maxsize})
        ids = {number for m in picked for number in (m.id, *blessings[m.id])}
        return ids, frozenset(filter(None, (place_of(m.uri) for m in picked)))

    def _picked(self, models: Sequence[Any], starts: set[int]) -> list[Any]:
        """Of blessed models, newest first, those that a resolver may pick."""
        facts = [bundle_facts(self._folder(model)) for model in models]
        events = {e for f in facts for e in f.get("shop", {}).get("event_types", ())}
        picked = list(models[:1])
        for event, start in itertools.product(sorted(events), starts):
            fit = (m for m in models if is_comparable(self._folder(m), event, start))
            picked += itertools.islice(fit, 1)
        return picked

    def _blessings(self) -> dict[int, list[int]]:
        """Of each model that the gates blessed, the blessings; by artifact ids."""
        name = f"souk-{self._layout.shop}.Gates"
        node = self._store.get_context_by_type_and_name("node", name)
        executions = self._executions([node]) if node else []
        made = sorted(self._used_by(executions, inputs=False))
        found: dict[int, list[int]] = {}
        for artifact in self._store.get_artifacts_by_id(made):
            values = artifact.custom_properties
            blessed = "blessed" in values and values["blessed"].int_value == 1
            if artifact.state == mlmd.Artifact.LIVE and blessed:
                model = values["current_model_id"].int_value
                found.setdefault(model, []).append(artifact.id)
        return found

    def _folder(self, model: Any) -> Path:
        """Of its SavedModel; of what is no model, one that is not there."""
        return self._layout.tfx / place_of(model.uri) / "Format-Serving"
