"""TFMA's settings: metrics, slices and thresholds of the bundle's `serving_default`."""

from __future__ import annotations

import json

# Not `tfma.EvalConfig`: newer versions no longer have these names at the top.
from tensorflow_model_analysis.constants import TF_GENERIC
from tensorflow_model_analysis.proto import config_pb2

from components.evaluate_funnel.slices import slice_features
from components.evaluator_config import area_under_curve
from components.rank_examples.write import LABEL
from core import signatures
from core.config import ShopConfig
from core.config.evaluation import EvaluationConfig

_AUC = "AreaUnderCurve"
_METRICS = ("ExampleCount", _AUC, "BinaryCrossentropy", "Calibration")


def build_eval_config(
    shop: ShopConfig, config: EvaluationConfig
) -> config_pb2.EvalConfig:
    """EvalConfig for TFX's Evaluator over RankExamples' split `test`.

    Measures the target event's probability: ExampleCount, AUC, BinaryCrossentropy and
    Calibration (mean prediction over mean label; sampled negatives move it away from
    1, so it is read against the last model, not as such), overall and by slice.

    Args:
      shop: its target event and context features.
      config: `min_auc`, lower bound of the overall AUC; `max_auc_drop`, how far it may
        fall below the baseline model's. The latter is ignored, as TFMA does, where
        Evaluator is given no baseline.
    """
    auc = config_pb2.MetricThreshold(
        value_threshold=config_pb2.GenericValueThreshold(
            lower_bound={"value": config.min_auc}
        ),
        change_threshold=config_pb2.GenericChangeThreshold(
            direction=config_pb2.MetricDirection.HIGHER_IS_BETTER,
            absolute={"value": -config.max_auc_drop},
        ),
    )
    # Slices of a few dozen rows have no AUC worth a verdict; the gates judge slices.
    overall = config_pb2.PerSliceMetricThreshold(
        slicing_specs=[config_pb2.SlicingSpec()], threshold=auc
    )
    metrics = [
        config_pb2.MetricConfig(
            class_name=name,
            module=area_under_curve.__name__ if name == _AUC else None,
            config=json.dumps({"name": "auc" if name == _AUC else _snake(name)}),
            per_slice_thresholds=[overall] if name == _AUC else None,
        )
        for name in _METRICS
    ]
    return config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(
                # Without a type TFMA loads the model with Keras first, to see.
                model_type=TF_GENERIC,
                signature_name=signatures.SERVING_DEFAULT,
                prediction_key=signatures.probability(shop.target_event),
                label_key=LABEL,
            )
        ],
        metrics_specs=[config_pb2.MetricsSpec(metrics=metrics)],
        slicing_specs=[
            config_pb2.SlicingSpec(),
            *(config_pb2.SlicingSpec(feature_keys=[n]) for n in slice_features(shop)),
        ],
        options=config_pb2.Options(include_default_metrics={"value": False}),
    )


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
