"""ServingGate: a bundle nothing can measure → blessed if a model server serves it."""

from pathlib import Path

from tfx.components.evaluator import constants
from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.gates.artifacts import GateVerdicts
from components.gates.bless import mark_blessing, summary, write_verdicts
from components.gates.check_serving import check_serving
from core.config.gates import GatesConfig
from core.progress import say


@component
def ServingGate(
    model: InputArtifact[standard_artifacts.Model],
    blessing: OutputArtifact[standard_artifacts.ModelBlessing],
    verdicts: OutputArtifact[GateVerdicts],
    config: Parameter[str],
) -> None:
    """Loads the bundle in the model server and sends it its warm-up requests.

    Args:
      model: a bundle trained on everything: no later data is left to measure it on.
      blessing: output; as Gates writes it, without metrics.
      verdicts: output; verdicts.json.
      config: GatesConfig as JSON.
    """
    found = check_serving(
        Path(path_utils.serving_model_path(model.uri)), GatesConfig.from_json(config)
    )
    blessed = write_verdicts(found, Path(verdicts.uri))
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSED_KEY, int(blessed)
    )
    mark_blessing(blessed, Path(blessing.uri))
    say("ServingGate", ("blessed: " if blessed else "not blessed: ") + summary(found))
