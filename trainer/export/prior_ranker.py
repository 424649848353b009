"""The ranker of a shop without a click to learn from: the first stage's own order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from core import signatures
from trainer.traced import traced

FUSED = "query_fused"  # the first stage's score among the features


class PriorRanker(tf.Module):
    """Loads and is called as `RankerExport`; its score is one of the features."""

    def __init__(self, feature_names: Sequence[str]) -> None:
        super().__init__(name="prior_ranker")
        place = list(feature_names).index(FUSED)
        self.feature_names = tf.Variable(list(feature_names), trainable=False)
        self.score = traced(
            lambda features: {signatures.SCORE: features[:, place]},
            input_signature=[
                tf.TensorSpec([None, len(feature_names)], tf.float32, name="features")
            ],
        )


def save_prior_ranker(feature_names: Sequence[str], folder: str | Path) -> None:
    """Writes the SavedModel."""
    export = PriorRanker(feature_names)
    tf.saved_model.save(
        export, str(folder), signatures={signatures.SERVING_DEFAULT: export.score}
    )
