"""KFP's ExecutorInput as our steps need it: local paths, types, filled parameters."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import ArtifactError
from pipeline.kubeflow import names, uris

Json = dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExecutorInput:
    """One task's inputs and outputs; `values` is KFP's message, URIs made local."""

    task: str
    values: Json
    root: Path  # above the mounts
    run: str  # what the run is called in the URIs

    @classmethod
    def parse(
        cls, task: str, text: str, input_types: Json, root: Path
    ) -> ExecutorInput:
        """
        Args:
          task: name of the task.
          text: KFP's JSON.
          input_types: `artifactType` by input; KFP itself hands over inputs without.
          root: above the mounts.
        """
        values = json.loads(text)
        run = _run_of(task, values)
        inputs = values.setdefault("inputs", {}).setdefault("artifacts", {})
        for key in [key for key in inputs if _is_absent(inputs[key])]:
            del inputs[key]
        for key, artifact in _artifacts(values):
            artifact["name"] = artifact["uri"]  # KFP's own need not be unique
            artifact["uri"] = uris.local_path(artifact["uri"], root)
            if "type" not in artifact and key in input_types:
                artifact["type"] = input_types[key]
        outputs = values.setdefault("outputs", {})
        if "outputFile" in outputs:
            outputs["outputFile"] = uris.local_path(outputs["outputFile"], root)
        return cls(task=task, values=_filled(values, run), root=root, run=run)

    @property
    def parameters(self) -> Json:
        found: Json = self.values["inputs"].get("parameterValues", {})
        return found

    @property
    def output_file(self) -> Path:
        return Path(self.values["outputs"]["outputFile"])

    def inputs(self) -> Iterator[tuple[str, Json]]:
        """Input key and artifact, in the order of the message."""
        return _of(self.values["inputs"])

    def outputs(self) -> Iterator[tuple[str, Json]]:
        """Output key and artifact."""
        return _of(self.values["outputs"])

    def output_path(self, key: str) -> Path:
        """The local folder of an output artifact."""
        return Path(dict(self.outputs())[key]["uri"])

    def run_folder(self, root: str) -> Path:
        """Where this run's records lie below a shop's folder."""
        return Path(root) / names.RUNS / self.run

    def finish(
        self, *, parameters: Json | None = None, metadata: Json | None = None
    ) -> None:
        """Writes KFP's ExecutorOutput.

        Args:
          parameters: output parameters by name.
          metadata: by output artifact, what is known of it.
        """
        output = {
            "parameterValues": parameters or {},
            "artifacts": {
                key: {"artifacts": [{"uri": a["uri"], "metadata": found}]}
                for key, a in self.outputs()
                if (found := (metadata or {}).get(key)) is not None
            },
        }
        for name, value in (parameters or {}).items():
            place = self.values["outputs"].get("parameters", {}).get(name)
            if place:
                path = Path(uris.local_path(place["outputFile"], self.root))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(str(value), encoding="utf-8")
        self.output_file.parent.mkdir(parents=True, exist_ok=True)
        self.output_file.write_text(json.dumps(output), encoding="utf-8")
        self.restore_uris()

    def restore_uris(self) -> None:
        """Turns local paths in the written ExecutorOutput into the store's URIs."""
        output = json.loads(self.output_file.read_text(encoding="utf-8"))
        for found in output.get("artifacts", {}).values():
            for artifact in found.get("artifacts", ()):
                artifact["uri"] = uris.remote_uri(artifact["uri"], self.root)
                artifact.pop("name", None)  # ours; KFP knows its own
        self.output_file.write_text(json.dumps(output), encoding="utf-8")


def _of(side: Json) -> Iterator[tuple[str, Json]]:
    for key, found in side.get("artifacts", {}).items():
        for artifact in found.get("artifacts", ()):
            yield key, artifact


def _artifacts(values: Json) -> Iterator[tuple[str, Json]]:
    yield from _of(values["inputs"])
    yield from _of(values.get("outputs", {}))


def _is_absent(found: Json) -> bool:
    listed = found.get("artifacts", ())
    return not listed or bool(listed[0].get("metadata", {}).get(names.ABSENT))


def _run_of(task: str, values: Json) -> str:
    """The part before the task's in an output's URI: ROOT/PIPELINE/RUN/TASK/…

    A run's id as a parameter would be part of every cache key: nothing would ever be
    taken from the cache.
    """
    for _, artifact in _of(values.get("outputs", {})):
        parts = artifact["uri"].split("/")
        for i in range(len(parts) - 1, 0, -1):
            if parts[i] == task or parts[i].startswith(f"{task}_"):
                return str(parts[i - 1])
    if not values.get("outputs", {}).get("artifacts"):
        return ""
    raise ArtifactError(
        f"The URIs of outputs must lie below RUN/{task}/, as KFP makes them. Received: "
        f"{json.dumps(values['outputs'])}. Compile the pipeline with this version."
    )


def _filled(values: Json, run: str) -> Json:
    """A copy whose string parameters hold the root and the run instead of tokens."""
    filled = copy.deepcopy(values)
    parameters = filled["inputs"].get("parameterValues", {})
    root = str(parameters.get(names.ROOT, ""))
    for name, value in parameters.items():
        if isinstance(value, str):
            value = value.replace(names.ROOT_TOKEN, root)
            parameters[name] = value.replace(names.RUN_TOKEN, run)
    return filled
