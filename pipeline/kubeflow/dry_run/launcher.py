"""What KFP's launcher does around a step: download, run, upload, publish."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from core.errors import ArtifactError
from pipeline.kubeflow import uris
from pipeline.kubeflow.dry_run.driver import Json, Outputs

_TIMEOUT_S = 1200


@dataclasses.dataclass(frozen=True)
class Launcher:
    """Runs container commands as plain processes.

    A step sees its inputs, and nothing else of the artifact store, below a mount root
    of its own; works in an empty folder; and finds `python`, with the installed package
    and no source tree, first on its path.
    """

    store: Path  # stands for the bucket: SCHEME/BUCKET/KEY
    python: Path  # of the environment that stands for the image

    def run(
        self, name: str, command: list[str], executor_input: Json, work: Path
    ) -> Outputs | None:
        """Outputs of the step; None where its command failed.

        Args:
          name: of the task.
          command: with placeholders filled in.
          executor_input: KFP's message.
          work: folder of this attempt; must not exist. Keeps `log.txt`.
        """
        mounts, cwd, home = work / "mnt", work / "cwd", work / "home"
        for folder in (mounts, cwd, home, work / "out"):
            folder.mkdir(parents=True)
        for found in executor_input["inputs"]["artifacts"].values():
            for artifact in found["artifacts"]:
                self._download(artifact["uri"], mounts)
        environment = {
            "PATH": f"{self.python.parent}:/usr/bin:/bin",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TMPDIR": str(work),
            uris.ROOT_VARIABLE: str(mounts),
        }
        with (work / "log.txt").open("w", encoding="utf-8") as log:
            done = subprocess.run(
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=_TIMEOUT_S,
                check=False,
            )
        if done.returncode:
            return None
        outputs = self._collect(executor_input)
        for artifact in outputs.artifacts.values():
            self._upload(name, artifact["uri"], mounts)
        left = [path.name for path in cwd.iterdir()]
        if left:
            raise ArtifactError(
                f"A step must write into its outputs only. `{name}` left "
                f"{', '.join(left)} in its working folder."
            )
        return outputs

    def _download(self, uri: str, mounts: Path) -> None:
        source, target = uris.local_path(uri, self.store), uris.local_path(uri, mounts)
        if not Path(target).exists():
            shutil.copytree(source, target, copy_function=os.link)

    def _upload(self, name: str, uri: str, mounts: Path) -> None:
        source = Path(uris.local_path(uri, mounts))
        if not source.exists():
            raise ArtifactError(
                f"`{name}` must write every output. Received: nothing at {source}."
            )
        target = Path(uris.local_path(uri, self.store))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(source, target)

    def _collect(self, executor_input: Json) -> Outputs:
        """Output parameters and artifacts, merged with what the step said of them."""
        expected = executor_input["outputs"]
        said = _read(Path(expected["outputFile"]))
        parameters = dict(said.get("parameterValues", {}))
        for key, place in expected["parameters"].items():
            if key not in parameters:
                parameters[key] = Path(place["outputFile"]).read_text("utf-8")
        artifacts = {}
        for key, found in expected["artifacts"].items():
            artifact = dict(found["artifacts"][0])
            update = said.get("artifacts", {}).get(key, {}).get("artifacts", [{}])[0]
            artifact["uri"] = update.get("uri") or artifact["uri"]
            metadata = {**artifact["metadata"], **update.get("metadata", {})}
            artifact["metadata"] = {"display_name": key, **metadata}
            artifacts[key] = artifact
        return Outputs(parameters, artifacts)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
