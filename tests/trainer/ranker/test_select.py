"""Trials: budget and choice."""

from __future__ import annotations

from trainer.ranker import select
from trainer.ranker.checkpoints import Progress


def test_the_better_trial_wins_and_the_budget_holds() -> None:
    metrics = {"mlp": 0.3, "dcn": 0.4, "late": 0.9}
    times = iter([0.0, 0.0, 0.0, 10.0, 10.0, 10.0, 20.0, 20.0])
    trials = select.run_trials(
        tuple(metrics),
        lambda name: Progress(best_metric=metrics[name]),
        time_budget_s=25.0,
        clock=lambda: next(times),
    )
    # 20 s are spent and a trial takes 10: the third is not begun
    assert [t.architecture for t in trials] == ["mlp", "dcn"]
    assert select.best_trial(trials).architecture == "dcn"
