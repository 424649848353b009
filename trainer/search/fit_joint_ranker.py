"""Recommendation and search ranked by one network, trained on both at once."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np

from core.config.ranker import RankerConfig
from core.progress import say
from trainer.export.prior_ranker import FUSED
from trainer.ranker.dataset import CandidateRows
from trainer.ranker.fit import HISTORY, FittedRanker, fit_ranker
from trainer.ranker.joint import (
    JointJudge,
    join_rows,
    joint_config,
    recommendation_side,
    search_side,
)
from trainer.ranker.judge import Judge
from trainer.unfit_patterns import say_unfit_features

STEP = "Ranker"


@dataclasses.dataclass(frozen=True, kw_only=True)
class JointRankers:
    """The same weights, once for the features of moments and once for those of pages.

    Attributes:
      search: None where the first stage's own order is as good on validation pages.
    """

    recommendation: FittedRanker
    search: FittedRanker | None


def fit_joint_ranker(
    moments: CandidateRows,
    pages: CandidateRows,
    config: RankerConfig,
    search_config: RankerConfig,
    *,
    run_dir: Path,
    checkpoint_dir: Path | None = None,
) -> JointRankers:
    """Fits one ranker on moments and pages.

    `history.json` records the validation figures of both kinds and, under
    "first_stage", that of the pages' own first stage.

    Args:
      moments: MineNegatives' candidates.
      pages: MineSearches' candidates; their features begin with the moments'.
      config: of the network and of the moments.
      search_config: of the pages: what they ignore, losses, how they are judged.
      run_dir: where history.json goes.
      checkpoint_dir: as `fit_ranker`.
    """
    trained = pages.rows_of(pages.moments("train"))
    if pages.gains is None or not pages.gains[trained].any():
        say(STEP, "no click on a search page: moments alone")
        fitted = fit_ranker(
            moments, config, run_dir=run_dir, checkpoint_dir=checkpoint_dir
        )
        return JointRankers(recommendation=fitted, search=None)
    hidden = search_config.ignored_features
    setting = "search_ranker.ignored_features"
    say_unfit_features(STEP, setting, hidden, pages.feature_names)
    search_config = search_config.replace(
        target_event=pages.event_types[0], event_weights=()
    )
    judged = pages.moments("eval")
    fused = pages.features[:, pages.feature_names.index(FUSED)]
    scores = fused[pages.rows_of(judged)]
    before = Judge(pages, search_config).metrics(judged, scores)["metric"]
    rows = join_rows(moments, pages, config, hidden)
    width = len(moments.feature_names)
    fitted = fit_ranker(
        rows,
        joint_config(config, search_config),
        run_dir=run_dir,
        checkpoint_dir=checkpoint_dir,
        judge=JointJudge(_light(moments), _light(pages), config, search_config),
    )
    path = run_dir / HISTORY
    history = {**json.loads(path.read_text()), "jointly": True, "first_stage": before}
    path.write_text(json.dumps(history, indent=1))
    after = float(fitted.history["validation"].get("search", np.inf))
    say(STEP, f"NDCG on validation pages {after:.4f}, of the first stage {before:.4f}")
    return JointRankers(
        recommendation=recommendation_side(fitted, width),
        search=search_side(fitted, hidden) if after > before else None,
    )


def _light(rows: CandidateRows) -> CandidateRows:
    """Without the features, which the joint rows hold already."""
    empty = np.zeros((0, len(rows.feature_names)), np.float32)
    return dataclasses.replace(rows, features=empty)
