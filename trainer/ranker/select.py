"""Which architecture and how many epochs: what validation prefers, within a budget."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence

from core import progress as reporting
from trainer.ranker.checkpoints import Progress


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """One architecture's fit on the train split, judged on the eval split."""

    architecture: str
    progress: Progress
    seconds: float


def best_trial(trials: Sequence[Trial]) -> Trial:
    """The trial with the best metric; the earlier one on a tie."""
    return max(trials, key=lambda trial: trial.progress.best_metric)


def run_trials(
    architectures: Sequence[str],
    fit: Callable[[str], Progress],
    *,
    time_budget_s: float,
    clock: Callable[[], float] = time.monotonic,
) -> list[Trial]:
    """Fits each architecture until the budget would be overrun; the first always.

    Args:
      architectures: names, the most trusted first.
      fit: trains one and returns its progress.
      time_budget_s: no trial starts that, at the longest one's pace, would end later.
      clock: seconds.
    """
    trials: list[Trial] = []
    began = clock()
    for name in architectures:
        spent = clock() - began
        slowest = max((trial.seconds for trial in trials), default=0.0)
        if trials and spent + slowest > time_budget_s:
            reporting.say(
                "Ranker",
                f"{name} not tried: {spent:.0f} of {time_budget_s:.0f} s spent",
            )
            continue
        start = clock()
        progress = fit(name)
        trials.append(
            Trial(architecture=name, progress=progress, seconds=clock() - start)
        )
    return trials
