"""Calibrators of a compressed ranker: its logits to what its teacher said of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainer.ranker.calibration import Calibrator, fit_calibrator
from trainer.ranker.fit import FittedRanker

Floats = npt.NDArray[np.float32]


def recalibrated(
    fitted: FittedRanker, taught: Floats, logits: Floats
) -> tuple[Calibrator, ...]:
    """The calibrators that give a compressed ranker its teacher's probabilities.

    The teacher was calibrated by a ranker that had not seen the eval moments; it has
    seen them itself, so that against their labels any ranker of now would look too
    sure. What the teacher makes of them is what its own calibration is fit for.

    Args:
      fitted: the teacher, with its calibrators.
      taught: [n, T] float32, its event logits of rows that are an unsampled picture of
        what is served.
      logits: [n, T] float32, the compressed ranker's of the same rows.
    """
    if fitted.config.calibration == "none" or not len(logits):
        return fitted.calibrators
    return tuple(
        fit_calibrator(
            logits[:, i],
            calibrator.apply(taught[:, i]),
            method=fitted.config.calibration,
        )
        for i, calibrator in enumerate(fitted.calibrators)
    )
