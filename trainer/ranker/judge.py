"""How good a ranker's scores are on validation lists, and which lists calibrate it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.config.ranker import RankerConfig
from trainer.ranker import metrics
from trainer.ranker.dataset import CandidateRows, Ints


class Judge:
    """NDCG of the target event, over all candidates and over those not owned."""

    def __init__(self, rows: CandidateRows, config: RankerConfig) -> None:
        self._rows, self._config = rows, config

    def metrics(
        self, moments: Ints, scores: npt.NDArray[np.float32]
    ) -> dict[str, float]:
        """`ndcg`, `ndcg_new`, and `metric`, their mixture, which decides.

        Args:
          moments: [m] numbers of lists, ascending.
          scores: float32, one for each row of `rows.rows_of(moments)`.
        """
        config = self._config
        both = [
            metrics.mean(
                metrics.ndcg(
                    self._rows,
                    moments,
                    scores,
                    event=config.target_event,
                    top_k=config.top_k,
                    new_only=new_only,
                )
            )
            for new_only in (False, True)
        ]
        mixed = (1 - config.choice_new) * both[0] + config.choice_new * both[1]
        return {"ndcg": both[0], "ndcg_new": both[1], "metric": mixed}

    def calibrates(self, moments: Ints) -> npt.NDArray[np.bool_]:
        """[m] whether a list's rows tell how likely an event is: all of them do."""
        return np.ones(len(moments), np.bool_)
