"""The ranker's SavedModel: raw features in, score and calibrated probabilities out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras

from core import signatures
from core.config.ranker import RankerConfig
from trainer.ranker.calibration import Calibrator
from trainer.ranker.fit import FittedRanker
from trainer.ranker.model import build_ranker, split_heads
from trainer.ranker.normalization import Normalizer
from trainer.traced import traced

KERAS_FOLDER = "keras_model"
_DESCRIPTION = "ranker.json"
_WEIGHTS = "weights.h5"


class RankerExport(tf.Module):
    """Owns the network, its normalization and calibration, and the function `score`.

    Loaded with `tf.saved_model.load` (no souk code needed) it keeps `score` and the
    string variables `feature_names` [F] and `event_types` [T].
    """

    def __init__(self, fitted: FittedRanker) -> None:
        super().__init__(name="ranker")
        self._fitted = fitted
        # The variables, not the Keras model: loading then imports no Keras.
        self._weights = list(fitted.model.variables)
        self.feature_names = tf.Variable(list(fitted.feature_names), trainable=False)
        self.event_types = tf.Variable(list(fitted.event_types), trainable=False)
        width = len(fitted.feature_names)
        self.score = traced(
            self._score,
            input_signature=[tf.TensorSpec([None, width], tf.float32, name="features")],
        )

    def _score(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Score and probabilities of candidates.

        Args:
          features: [N, F] float32 in the order of `feature_names`; may hold NaN.

        Returns:
          "score": [N] float32, higher is better; "p_EVENT": [N] float32 in [0, 1].
        """
        fitted = self._fitted
        logits = fitted.model(fitted.normalizer.apply(features), training=False)
        scores, events = split_heads(logits, fitted.event_types, fitted.config)
        outputs = {signatures.SCORE: scores}
        for i, event in enumerate(fitted.event_types):
            outputs[signatures.probability(event)] = fitted.calibrators[i].apply_tensor(
                events[:, i]
            )
        return outputs


def save_ranker(fitted: FittedRanker, folder: str | Path) -> None:
    """Writes the SavedModel and, in `keras_model/`, what compression starts from."""
    export = RankerExport(fitted)
    folder = Path(folder)
    keras_folder = folder / KERAS_FOLDER
    keras_folder.mkdir(parents=True, exist_ok=True)
    fitted.model.save_weights(str(keras_folder / _WEIGHTS))
    (keras_folder / _DESCRIPTION).write_text(json.dumps(describe(fitted), indent=1))
    # saved_model.pb is what others watch for, so the SavedModel comes last.
    tf.saved_model.save(
        export, str(folder), signatures={signatures.SERVING_DEFAULT: export.score}
    )


def describe(fitted: FittedRanker) -> dict[str, Any]:
    """JSON-able: everything about the ranker but its weights."""
    return {
        "architecture": fitted.architecture,
        "config": fitted.config.to_dict(),
        "feature_names": list(fitted.feature_names),
        "event_types": list(fitted.event_types),
        "normalizer": fitted.normalizer.to_dict(),
        "calibrators": [c.to_dict() for c in fitted.calibrators],
        "history": fitted.history,
    }


def load_fitted(folder: str | Path) -> FittedRanker:
    """The ranker that `save_ranker` wrote, as a Keras model with its surroundings."""
    keras_folder = Path(folder) / KERAS_FOLDER
    values = json.loads((keras_folder / _DESCRIPTION).read_text())
    config = RankerConfig.from_dict(values["config"])
    event_types = tuple(values["event_types"])
    model: tf_keras.Model = build_ranker(
        num_features=len(values["feature_names"]),
        event_types=event_types,
        config=config.replace(dropout=0.0),
        architecture=values["architecture"],
    )
    model.load_weights(str(keras_folder / _WEIGHTS))
    return FittedRanker(
        model=model,
        architecture=values["architecture"],
        config=config,
        normalizer=Normalizer.from_dict(values["normalizer"]),
        calibrators=tuple(Calibrator.from_dict(c) for c in values["calibrators"]),
        feature_names=tuple(values["feature_names"]),
        event_types=event_types,
        history=values["history"],
    )
