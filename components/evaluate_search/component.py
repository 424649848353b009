"""EvaluateSearch: bundle + items, judgments, events → SearchMetrics."""

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

from components.evaluate_search.artifacts import SearchMetrics
from components.evaluate_search.evaluate import (
    JUDGED,
    LOGGED,
    evaluate_search,
    headline,
)
from components.evaluate_search.read import read_search_data
from components.json_file import write_json
from core.config import ShopConfig
from core.config.search_evaluation import SearchEvaluationConfig
from core.layout import SEARCH_METRICS_FILE


@component(use_beam=True)
def EvaluateSearch(
    model: InputArtifact[standard_artifacts.Model],
    items: InputArtifact[standard_artifacts.Examples],
    metrics: OutputArtifact[SearchMetrics],
    shop: Parameter[str],
    config: Parameter[str],
    judgments: InputArtifact[standard_artifacts.Examples] = None,
    events: InputArtifact[standard_artifacts.Examples] = None,
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Measures the bundle through its `search` signature.

    A part whose table is absent, or holds nothing to measure, is null in the report,
    with the reason under `absent`; `bought` is left out where no purchase of the test
    period answers a search.

    Args:
      model: the bundle.
      items: the cleaned catalogue.
      metrics: output; `search_metrics.json`, and the headline and the primary metric of
        each part as custom properties.
      shop: ShopConfig as JSON.
      config: SearchEvaluationConfig as JSON.
      judgments: optional; the judgments, split `train`.
      events: optional; the cleaned events, all splits.
      beam_pipeline: in which the bundle is asked.
    """
    evaluation = SearchEvaluationConfig.from_json(config)
    shop_config = ShopConfig.from_json(shop)
    data = read_search_data(
        items.uri,
        judgments.uri if judgments else None,
        events.uri if events else None,
        shop_config.context_features,
        evaluation.max_events,
    )
    report = evaluate_search(
        path_utils.serving_model_path(model.uri),
        data,
        shop_config,
        evaluation,
        pipeline=beam_pipeline or beam.Pipeline(),
        folder=Path(metrics.uri) / ".staging",
    )
    write_json(Path(metrics.uri) / SEARCH_METRICS_FILE, report)
    metrics.set_string_custom_property("headline", headline(report))
    metric = evaluation.primary_metric
    for part in (JUDGED, LOGGED):
        for truth, entry in (report[part] or {}).items():
            value = entry["systems"]["bundle"][metric]["value"]
            name = f"{truth}_{metric.replace('@', '_at_')}"
            metrics.set_float_custom_property(name, value)
