"""The ranker of search pages, kept only if it beats the first stage's own order."""

from __future__ import annotations

import json
from pathlib import Path

from core.config.ranker import RankerConfig
from core.progress import say
from trainer.export.prior_ranker import FUSED
from trainer.ranker.dataset import CandidateRows
from trainer.ranker.fit import HISTORY, FittedRanker, fit_ranker
from trainer.ranker.judge import Judge

STEP = "SearchRanker"


def fit_search_ranker(
    rows: CandidateRows,
    config: RankerConfig,
    *,
    run_dir: Path,
    checkpoint_dir: Path | None = None,
) -> FittedRanker | None:
    """A ranker fitted on search pages, or None where the first stage does as well.

    Few pages teach a network little: both orders are measured on the `eval` pages, and
    `history.json` records the two figures under "first_stage" and "validation".

    Args:
      rows: MineSearches' candidates; their features are normalized in place.
      config: settings; the target is the weakest event that the pages tell of.
      run_dir: where history.json goes.
      checkpoint_dir: as `fit_ranker`.
    """
    trained = rows.rows_of(rows.moments("train"))
    if not len(trained) or (rows.gains is not None and not rows.gains[trained].any()):
        say(STEP, "no click on a search page: the first stage's order stands")
        return None
    config = config.replace(target_event=rows.event_types[0], event_weights=())
    first_stage = rows.features[:, rows.feature_names.index(FUSED)].copy()
    fitted = fit_ranker(rows, config, run_dir=run_dir, checkpoint_dir=checkpoint_dir)
    judged = rows.moments("eval")
    if not len(judged):
        return fitted
    scores = first_stage[rows.rows_of(judged)]
    before = Judge(rows, config).metrics(judged, scores)["metric"]
    after = float(fitted.history["validation"]["metric"])
    path = run_dir / HISTORY
    history = {**json.loads(path.read_text()), "first_stage": before}
    path.write_text(json.dumps(history, indent=1))
    say(STEP, f"NDCG on validation pages {after:.4f}, of the first stage {before:.4f}")
    return fitted if after > before else None
