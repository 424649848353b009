"""EvaluateFunnel: bundle + test moments + items + events → FunnelMetrics."""

import json
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
    write_metrics,
)
from components.evaluate_funnel.read import read_test_set
from core.config import ShopConfig
from core.config.evaluation import EvaluationConfig

_METADATA_FILE = "souk.json"


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
      baseline_model: optional; the last blessed bundle, measured as `last_blessed`
        unless it was built from data at or after the test cut-off.
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
        LAST_BLESSED: _comparable(baseline_model, model.uri, test_set.cutoff),
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
    write_metrics(report, metrics.uri)
    metrics.set_string_custom_property("headline", headline(report))
    value = report["systems"]["bundle"]["all"][report["primary_metric"]]["value"]
    metrics.set_float_custom_property(
        report["primary_metric"].replace("@", "_at_"), value
    )


def _comparable(
    baseline: standard_artifacts.Model | None, uri: str, cutoff: int
) -> str | None:
    """Folder of the last blessed model, where it did not see the test period."""
    if baseline is None or baseline.uri == uri:
        return None
    metadata = Path(path_utils.serving_model_path(baseline.uri)) / _METADATA_FILE
    if metadata.exists():
        as_of = json.loads(metadata.read_text(encoding="utf-8")).get("as_of", 0)
        if as_of > cutoff:
            return None
    return _folder(baseline)


def _folder(model: standard_artifacts.Model | None) -> str | None:
    return None if model is None else str(path_utils.serving_model_path(model.uri))
