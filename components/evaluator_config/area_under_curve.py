"""AUC that TFMA computes batch by batch."""

from __future__ import annotations

from typing import Any

import tf_keras

NUM_THRESHOLDS = 10_000


class AreaUnderCurve(tf_keras.metrics.AUC):
    """Area under the ROC curve of a binary label.

    TFMA puts its own class in the place of any that is called AUC, and that one visits
    every row of every slice in Python. Keras's takes a batch at a time. Both count at
    10,000 thresholds.
    """

    def __init__(self, num_thresholds: int = NUM_THRESHOLDS, **settings: Any) -> None:
        super().__init__(num_thresholds=num_thresholds, **settings)
