"""What KFP's driver does before a step: inputs, output URIs, command, cache key.

It follows open-source KFP v2 (backend/src/v2/driver): an input carries a number for a
name and no type; a constant reaches the step as it stands; outputs lie at
ROOT/PIPELINE/RUN/TASK/SALT/KEY.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import itertools
import json
import uuid
from typing import Any

from core.errors import ArtifactError

Json = dict[str, Any]


@dataclasses.dataclass
class Outputs:
    """What a finished task left: parameters and artifacts by output name."""

    parameters: Json = dataclasses.field(default_factory=dict)
    artifacts: dict[str, Json] = dataclasses.field(default_factory=dict)


class Driver:
    """Resolves tasks of one run of one specification."""

    def __init__(self, spec: Json, run: str, pipeline_root: str = "") -> None:
        self.spec = spec
        root = pipeline_root or spec["defaultPipelineRoot"]
        self._root = f"{root.rstrip('/')}/{spec['pipelineInfo']['name']}/{run}"
        self._ids = itertools.count(1)
        self._artifact_ids: dict[str, str] = {}

    def component(self, task: Json) -> Json:
        found: Json = self.spec["components"][task["componentRef"]["name"]]
        return found

    def container(self, task: Json) -> Json:
        label = self.component(task)["executorLabel"]
        found: Json = self.spec["deploymentSpec"]["executors"][label]["container"]
        return found

    def parameters(
        self, task: Json, parent: Json, done: dict[str, Outputs], states: Json
    ) -> Json:
        """The values of a task's input parameters.

        Args:
          task: the task's specification.
          parent: parameters of the DAG that holds it.
          done: outputs of the tasks before it.
          states: final state by task, for exit handlers.
        """
        declared = (
            self.component(task).get("inputDefinitions", {}).get("parameters", {})
        )
        given = task.get("inputs", {}).get("parameters", {})
        found = {}
        for name, source in given.items():
            value = _value(name, source, parent, done, states)
            if declared[name]["parameterType"] == "STRING" and not isinstance(
                value, str
            ):
                value = json.dumps(value)
            found[name] = value
        missing = set(declared) - set(given)
        if missing:
            raise ArtifactError(
                f"Every parameter of `{task['taskInfo']['name']}` needs a value. "
                f"Received none for {', '.join(sorted(missing))}."
            )
        return found

    def executor_input(
        self,
        name: str,
        task: Json,
        parameters: Json,
        done: dict[str, Outputs],
        out: str,
    ) -> Json:
        """KFP's ExecutorInput.

        Args:
          name: of the task.
          task: its specification.
          parameters: see `parameters`.
          done: outputs of the tasks before it.
          out: folder for what the launcher picks up besides artifacts.
        """
        artifacts = {}
        for key, source in task.get("inputs", {}).get("artifacts", {}).items():
            produced = source["taskOutputArtifact"]
            outputs = done[produced["producerTask"]].artifacts
            found = copy.deepcopy(outputs[produced["outputArtifactKey"]])
            del found["type"]
            found["name"] = self._id(found["uri"])
            artifacts[key] = {"artifacts": [found]}
        defined = self.component(task).get("outputDefinitions", {})
        folder = f"{self._root}/{name}/{uuid.uuid4()}"
        return {
            "inputs": {"parameterValues": parameters, "artifacts": artifacts},
            "outputs": {
                "artifacts": {
                    key: {"artifacts": [_new_artifact(key, folder, output)]}
                    for key, output in defined.get("artifacts", {}).items()
                },
                "parameters": {
                    key: {"outputFile": f"{out}/{key}"}
                    for key in defined.get("parameters", {})
                },
                "outputFile": f"{out}/output_metadata.json",
            },
        }

    def command(self, task: Json, executor_input: Json) -> list[str]:
        """The container's command line with KFP's placeholder filled in."""
        container = self.container(task)
        text = json.dumps(executor_input)
        return [
            part.replace("{{$}}", text)
            for part in (*container["command"], *container["args"])
        ]

    def cache_key(self, task: Json, executor_input: Json) -> str:
        """Of inputs and container, as KFP fingerprints them; output URIs left out."""
        container = self.container(task)
        command = [*container["command"], *container["args"]]
        inputs = executor_input["inputs"]
        key = {
            "parameters": inputs["parameterValues"],
            "artifacts": {
                name: [artifact["uri"] for artifact in found["artifacts"]]
                for name, found in inputs["artifacts"].items()
            },
            "outputs": self.component(task).get("outputDefinitions", {}),
            "container": [container["image"], *command],
        }
        return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()

    def _id(self, uri: str) -> str:
        if uri not in self._artifact_ids:
            self._artifact_ids[uri] = str(next(self._ids))
        return self._artifact_ids[uri]


def _value(
    name: str, source: Json, parent: Json, done: dict[str, Outputs], states: Json
) -> Any:
    if "componentInputParameter" in source:
        return parent[source["componentInputParameter"]]
    if "taskOutputParameter" in source:
        produced = source["taskOutputParameter"]
        outputs = done[produced["producerTask"]].parameters
        return outputs[produced["outputParameterKey"]]
    if "taskFinalStatus" in source:
        task = source["taskFinalStatus"]["producerTask"]
        return {"state": states[task], "pipelineTaskName": task}
    if "constant" in source.get("runtimeValue", {}):
        return source["runtimeValue"]["constant"]
    raise ArtifactError(
        f"A parameter must come from the run, a task or a constant. Received for "
        f"`{name}`: {source}."
    )


def _new_artifact(key: str, folder: str, output: Json) -> Json:
    return {
        "name": key,
        "uri": f"{folder}/{key}",
        "type": output["artifactType"],
        "metadata": dict(output.get("metadata", {})),
    }
