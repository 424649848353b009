"""LastBlessed: the served version → the model that a new one is compared with.

TFX asks the cluster's metadata for it (a resolver), which only Vertex AI answers. What
was blessed last is what was pushed last, and that lies on the volume.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from tfx.components.evaluator import constants
from tfx.utils import path_utils

from components.gates.bless import mark_blessing
from core.layout import METRICS_FILE, HomeLayout
from pipeline.kubeflow import names
from pipeline.kubeflow.steps import command
from pipeline.kubeflow.steps.executor_input import ExecutorInput

MODEL, BLESSING = "model", "model_blessing"


def last_blessed(step: ExecutorInput) -> None:
    """Copies the version and what it was blessed with; before the first, nothing."""
    root = Path(step.parameters[names.ROOT])
    version = step.parameters[names.SERVED_VERSION]
    model, blessing = step.output_path(MODEL), step.output_path(BLESSING)
    with command.recorded(step, step.run_folder(str(root))):
        metadata: dict[str, dict[str, Any]] = {}
        if version:
            served = HomeLayout(root.parent, root.name).serving / version
            shutil.copytree(served, path_utils.serving_model_dir(str(model)))
            mark_blessing(True, blessing)
            if (served / METRICS_FILE).is_file():
                shutil.copyfile(served / METRICS_FILE, blessing / METRICS_FILE)
            metadata = {
                MODEL: {},
                BLESSING: {
                    constants.ARTIFACT_PROPERTY_BLESSED_KEY: constants.BLESSED_VALUE
                },
            }
        else:
            for key, folder in ((MODEL, model), (BLESSING, blessing)):
                folder.mkdir(parents=True)
                (folder / names.ABSENT_FILE).touch()
                metadata[key] = {names.ABSENT: 1}
        step.finish(metadata=metadata)


if __name__ == "__main__":
    sys.exit(command.run(last_blessed, sys.argv[1:]))
