"""What a ranker is and what it says of known moments, to set beside a smaller one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tf_keras

from core.metrics.probability import area_under_curve, calibration_error
from trainer.compression.prune import zero_share
from trainer.ranker import metrics
from trainer.ranker.dataset import CandidateRows, Ints
from trainer.ranker.fit import FittedRanker
from trainer.ranker.model import split_heads

_CHUNK = 16_384


class Outputs(NamedTuple):
    """Of n rows."""

    scores: npt.NDArray[np.float32]  # [n]
    logits: npt.NDArray[np.float32]  # [n, T], not calibrated


def outputs_of(fitted: FittedRanker, rows: CandidateRows, moments: Ints) -> Outputs:
    """The ranker's scores and event logits of the moments' rows.

    Args:
      rows: with normalized features.
      moments: their numbers; none give empty arrays.
    """
    numbers = rows.rows_of(moments)
    heads = [np.empty((0, fitted.model.output_shape[-1]), np.float32)]
    for start in range(0, len(numbers), _CHUNK):
        chunk = rows.features[numbers[start : start + _CHUNK]]
        heads.append(fitted.model(chunk, training=False))
    scores, logits = split_heads(
        tf.concat(heads, axis=0), rows.event_types, fitted.config
    )
    return Outputs(scores.numpy(), logits.numpy())


def ranker_facts(
    fitted: FittedRanker,
    rows: CandidateRows,
    moments: Ints,
    outputs: Outputs,
    *,
    probabilities: bool,
) -> dict[str, Any]:
    """JSON-able: size, zeros by kernel, NDCG all and new, each event's probabilities.

    Args:
      moments: that `outputs` are of; without any, what is measured is None.
      probabilities: whether those of the events are served; what is said of them is
        None where they are not.
    """
    kernels = {
        layer.name: zero_share(layer.kernel)
        for layer in fitted.model.layers
        if isinstance(layer, tf_keras.layers.Dense)
    }
    return {
        "hidden_units": list(fitted.config.hidden_units),
        "parameters": int(fitted.model.count_params()),
        "zero_share": kernels,
        "ndcg": _ndcg(fitted, rows, moments, outputs, new_only=False),
        "ndcg_new": _ndcg(fitted, rows, moments, outputs, new_only=True),
        "events": _events(fitted, rows, moments, outputs) if probabilities else None,
    }


def _ndcg(
    fitted: FittedRanker,
    rows: CandidateRows,
    moments: Ints,
    outputs: Outputs,
    *,
    new_only: bool,
) -> float | None:
    if not len(moments):
        return None
    return metrics.mean(
        metrics.ndcg(
            rows,
            moments,
            outputs.scores,
            event=fitted.config.target_event,
            top_k=fitted.config.top_k,
            new_only=new_only,
        )
    )


def _events(
    fitted: FittedRanker, rows: CandidateRows, moments: Ints, outputs: Outputs
) -> dict[str, dict[str, float]] | None:
    """By event type: AUC and calibration error of the calibrated probability."""
    if not len(moments):
        return None
    labels = rows.labels[rows.rows_of(moments)]
    found = {}
    for i, event in enumerate(fitted.event_types):
        probabilities = fitted.calibrators[i].apply(outputs.logits[:, i])
        found[event] = {
            "auc": area_under_curve(labels[:, i], probabilities),
            "calibration_error": calibration_error(labels[:, i], probabilities),
        }
    return found
