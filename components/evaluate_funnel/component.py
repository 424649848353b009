"""EvaluateFunnel: bundle + test moments + items + events → FunnelMetrics."""

from pathlib import Path

import apache_beam as beam
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.evaluate_funnel.artifacts import FunnelMetrics
from components.evaluate_funnel.evaluate import (
    LAST_BLESSED,
    UNCOMPRESSED,
    evaluate_funnel,
    headline,
)
from components.evaluate_funnel.read import read_test_set
from components.json_file import write_json
from core.config import ShopConfig
from core.config.evaluation import EvaluationConfig
from core.layout import METRICS_FILE


@component(use_beam=True)
def EvaluateFunnel(
    model: InputArtifact[standard_artifacts.Model],
    moments: InputArtifact[standard_artifacts.Examples],
    items: InputArtifact[standard_artifacts.Examples],
    events: InputArtifact[standard_artifacts.Examples],
    metrics: OutputArtifact[FunnelMetrics],
    shop: Parameter[str],
    config: Parameter[str],
    baseline_model: InputArtifact[standard_artifacts.Model] = None,
    uncompressed_model: InputArtifact[standard_artifacts.Model] = None,
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Measures the bundle through its `recommend` signature on the `test` split.

    Args:
      model: the bundle.
      moments: Examples with a split `test`.
      items: the cleaned catalogue.
      events: the cleaned events, all splits.
      metrics: output; `metrics.json`, and the headline as custom properties.
      shop: ShopConfig as JSON.
      config: EvaluationConfig as JSON.
      baseline_model: optional; the last blessed bundle that `is_comparable`, measured
        as `last_blessed`.
      uncompressed_model: optional; the same bundle as it was trained, measured as
        `uncompressed`.
      beam_pipeline: in which the bundles are asked.
    """
    shop_config = ShopConfig.from_json(shop)
    evaluation = EvaluationConfig.from_json(config)
    test_set = read_test_set(
        moments.uri, items.uri, events.uri, shop_config, evaluation
    )
    others = {
        LAST_BLESSED: None
        if _is_same(baseline_model, model)
        else _folder(baseline_model),
        UNCOMPRESSED: _folder(uncompressed_model),
    }
    report = evaluate_funnel(
        path_utils.serving_model_path(model.uri),
        test_set,
        shop_config,
        evaluation,
        pipeline=beam_pipeline or beam.Pipeline(),
        folder=Path(metrics.uri) / ".staging",
        other_models={name: path for name, path in others.items() if path},
    )
    write_json(Path(metrics.uri) / METRICS_FILE, report)
    metrics.set_string_custom_property("headline", headline(report))
    value = report["systems"]["bundle"]["all"][report["primary_metric"]]["value"]
    metrics.set_float_custom_property(
        report["primary_metric"].replace("@", "_at_"), value
    )


def _is_same(
    baseline: standard_artifacts.Model | None, model: standard_artifacts.Model
) -> bool:
    """Whether the last blessed model is this one, in a run of cached steps."""
    return baseline is not None and baseline.uri == model.uri


def _folder(model: standard_artifacts.Model | None) -> str | None:
    return None if model is None else str(path_utils.serving_model_path(model.uri))
