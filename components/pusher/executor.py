"""Executor of the atomic Pusher."""

import json
from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.pusher import executor as stock
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils

from components.pusher.push import newest_version, push, what_stays
from core.layout import METRICS_FILE
from core.progress import say

HOLD = "hold"  # of the custom config: a refit follows, which is what is pushed


class AtomicExecutor(stock.Executor):  # type: ignore[misc]
    """Pushes by copy, sync and rename instead of by copying into place."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes the model where it is blessed.

        Args:
          input_dict: `model`; `model_blessing` and `infra_blessing` where wired.
          output_dict: `pushed_model`: custom properties `pushed` (0 or 1),
            `pushed_destination` and `pushed_version`; the folder holds the same as
            `pushed.json`, not another copy of the model; where the model is not
            blessed also `served`, the version that stays, or null.
          exec_properties: `push_destination`, PushDestination as JSON;
            `custom_config`, {"hold": true} or null as JSON.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        pushed = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.PUSHED_MODEL_KEY]
        )
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(
            exec_properties[standard_component_specs.PUSH_DESTINATION_KEY], destination
        )
        serving_dir = Path(destination.filesystem.base_directory)
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            newest = newest_version(serving_dir)
            served = newest.name if newest else None
            _note(pushed.uri, {"pushed": False, "served": served})
            say("Pusher", f"not blessed: nothing pushed, {what_stays(served)}")
            return
        if json.loads(exec_properties.get("custom_config") or "null"):
            self._MarkNotPushed(pushed)
            _note(pushed.uri, {"pushed": False, "held": True})
            say("Pusher", "accepted, not pushed: its refit on everything will be")
            return
        version = push(
            Path(self.GetModelPath(input_dict)),
            serving_dir,
            facts=_facts(input_dict),
            files=_metrics_files(input_dict),
        )
        self._MarkPushed(
            pushed, pushed_destination=str(version), pushed_version=version.name
        )
        _note(
            pushed.uri,
            {"pushed": True, "destination": str(version), "version": version.name},
        )
        say("Pusher", f"version {version.name} at {version}")


def _facts(input_dict: dict[str, list[types.Artifact]]) -> dict[str, Any]:
    """What the pushed souk.json says beyond the bundle's own: origin and metrics."""
    facts: dict[str, Any] = {}
    models = input_dict.get(standard_component_specs.MODEL_KEY)
    if models:
        facts["model_uri"] = artifact_utils.get_single_uri(models)
    for path in _metrics_files(input_dict):
        metrics = json.loads(path.read_text(encoding="utf-8"))
        facts["metrics"] = metrics["systems"]["bundle"]
    return facts


def _metrics_files(input_dict: dict[str, list[types.Artifact]]) -> list[Path]:
    """What the model was blessed with, for the gates of a later run; none, or one."""
    blessings = input_dict.get(standard_component_specs.MODEL_BLESSING_KEY)
    if not blessings:
        return []
    path = Path(artifact_utils.get_single_uri(blessings)) / METRICS_FILE
    return [path] if path.is_file() else []


def _note(uri: str, values: dict[str, Any]) -> None:
    folder = Path(uri)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pushed.json").write_text(json.dumps(values) + "\n", encoding="utf-8")
