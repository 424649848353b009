"""SearchGates: bundle + search metrics → ModelBlessing, for a shop without events."""

import json
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

from components.evaluate_search.artifacts import SearchMetrics
from components.gates.artifacts import GateVerdicts
from components.gates.bless import mark_blessing, summary, write_verdicts
from components.gates.check_search import check_search
from components.gates.check_serving import check_serving
from core.config.gates import GatesConfig
from core.layout import SEARCH_METRICS_FILE
from core.progress import say


@component
def SearchGates(
    model: InputArtifact[standard_artifacts.Model],
    metrics: InputArtifact[SearchMetrics],
    blessing: OutputArtifact[standard_artifacts.ModelBlessing],
    verdicts: OutputArtifact[GateVerdicts],
    config: Parameter[str],
) -> None:
    """Judges search against BM25, and the bundle as a thing to serve.

    What Gates compares besides (baselines of recommendation, slices, the last blessed
    model, coverage) is measured on events, which this shop does not have.

    Args:
      model: the bundle.
      metrics: output of EvaluateSearch for this bundle.
      blessing: output; as Gates writes it, without metrics.
      verdicts: output; verdicts.json.
      config: GatesConfig as JSON.
    """
    bounds = GatesConfig.from_json(config)
    text = (Path(metrics.uri) / SEARCH_METRICS_FILE).read_text(encoding="utf-8")
    found = [
        *check_search(json.loads(text), bounds),
        *check_serving(Path(path_utils.serving_model_path(model.uri)), bounds),
    ]
    blessed = write_verdicts(found, Path(verdicts.uri))
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSED_KEY, int(blessed)
    )
    mark_blessing(blessed, Path(blessing.uri))
    say("SearchGates", ("blessed: " if blessed else "not blessed: ") + summary(found))
