"""Gates: bundle + metrics (+ last blessing, TFMA's blessing) → ModelBlessing."""

import json
from pathlib import Path
from typing import Any

from tfx.components.evaluator import constants
from tfx.components.util import model_utils
from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.evaluate_funnel.artifacts import FunnelMetrics
from components.gates.artifacts import GateVerdicts
from components.gates.bless import (
    summary,
    write_blessing,
    write_verdicts,
)
from components.gates.check_metrics import check_metrics
from components.gates.check_serving import check_serving
from components.gates.check_tfma import check_tfma
from components.gates.verdict import Verdict
from core.config.gates import GatesConfig
from core.layout import METRICS_FILE
from core.progress import say


@component
def Gates(
    model: InputArtifact[standard_artifacts.Model],
    metrics: InputArtifact[FunnelMetrics],
    blessing: OutputArtifact[standard_artifacts.ModelBlessing],
    verdicts: OutputArtifact[GateVerdicts],
    config: Parameter[str],
    evaluation_blessing: InputArtifact[standard_artifacts.ModelBlessing] = None,
    evaluation: InputArtifact[standard_artifacts.ModelEvaluation] = None,
    last_blessing: InputArtifact[standard_artifacts.ModelBlessing] = None,
) -> None:
    """Judges the bundle; a refusal is an output, not an error: the report still runs.

    Args:
      model: the bundle.
      metrics: output of EvaluateFunnel for this bundle.
      blessing: output; custom properties as TFX's Evaluator writes them, an empty file
        BLESSED or NOT_BLESSED, and the metrics, for the next run to compare with.
      verdicts: output; verdicts.json.
      config: GatesConfig as JSON.
      evaluation_blessing: optional; TFX Evaluator's blessing, one more gate.
      evaluation: optional; TFX Evaluator's evaluation, for the reasons of a refusal.
      last_blessing: optional; this component's blessing of the last blessed bundle.
    """
    bounds = GatesConfig.from_json(config)
    metrics_file = Path(metrics.uri) / METRICS_FILE
    last_file = Path(last_blessing.uri) / METRICS_FILE if last_blessing else None
    last = _read(last_file) if last_file and last_file.is_file() else None
    found = [
        *check_metrics(_read(metrics_file), last, bounds),
        *_tfma(evaluation_blessing, evaluation),
        *check_serving(Path(path_utils.serving_model_path(model.uri)), bounds),
    ]
    blessed = write_verdicts(found, Path(verdicts.uri))
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSED_KEY, int(blessed)
    )
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri
    )
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id
    )
    write_blessing(blessed, metrics_file, Path(blessing.uri))
    say("Gates", ("blessed: " if blessed else "not blessed: ") + summary(found))


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _tfma(
    blessing: standard_artifacts.ModelBlessing | None,
    evaluation: standard_artifacts.ModelEvaluation | None,
) -> list[Verdict]:
    if blessing is None:
        return []
    folder = Path(evaluation.uri) if evaluation else None
    return [check_tfma(model_utils.is_model_blessed(blessing), folder)]
