"""Compresses a trained ranker's folder into another; free of TFX."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.config.compress import CompressConfig
from core.progress import say
from trainer.compression.compress_ranker import compress_ranker
from trainer.export.ranker_export import KERAS_FOLDER, load_fitted, save_ranker
from trainer.ranker.dataset import SPLITS, read_candidates

STEP = "Compress"
FACTS_FILE = "compression.json"


def compress_model(
    ranker: Path,
    candidates: str,
    out_dir: Path,
    config: CompressConfig,
    splits: Sequence[str] = SPLITS,
    *,
    probabilities: bool = True,
) -> dict[str, Any] | None:
    """Writes the smaller ranker into `out_dir`; facts about it, None where it is as is.

    A ranker without a network (a first stage's own order) is copied, and so is one that
    would lose more than the settings allow; its facts then hold `refused`.

    Args:
      ranker: SavedModel folder of the Ranker or SearchRanker.
      candidates: the rows it was trained on.
      out_dir: SavedModel folder.
      config: what to do.
      splits: of the rows, to train on.
      probabilities: whether its probabilities of events are served: those of a search
        ranker are not, `search` reads its score alone.
    """
    if not (ranker / KERAS_FOLDER).is_dir() or not config.changes_rankers:
        shutil.copytree(ranker, out_dir, dirs_exist_ok=True)
        return None
    began = time.monotonic()
    fitted = load_fitted(ranker)
    limit = fitted.config.memory_limit_mb
    rows = read_candidates(candidates, splits=splits, memory_limit_mb=limit)
    smaller, facts = compress_ranker(fitted, rows, config, probabilities=probabilities)
    facts["seconds"] = time.monotonic() - began
    refused = losses(facts["before"], facts["after"], config)
    if refused:
        say(STEP, f"kept as trained: {'; '.join(refused)}")
        shutil.copytree(ranker, out_dir, dirs_exist_ok=True)
        return {**facts, "after": facts["before"], "refused": refused}
    save_ranker(smaller, out_dir)
    before, after = facts["before"], facts["after"]
    say(
        STEP,
        f"{before['parameters']:,} parameters to {after['parameters']:,}, "
        f"{_share_of_zeros(after):.0%} zeros in the pruned",
    )
    return facts


def losses(
    before: dict[str, Any], after: dict[str, Any], config: CompressConfig
) -> list[str]:
    """In words, where a smaller ranker loses more than the settings allow.

    Args:
      before, after: `ranker_facts` of the ranker as trained and of the smaller one;
        without eval moments nothing was measured, and nothing is lost, nor in
        probabilities that are not served.
    """
    found = []
    for name, label in (("ndcg", "NDCG"), ("ndcg_new", "NDCG of new items")):
        was, now = before[name], after[name]
        if was and now < was * (1.0 - config.max_ndcg_drop_percent / 100.0):
            found.append(f"{label} {was:.4f} to {now:.4f}")
    for event, entry in (before["events"] or {}).items():
        was, now = entry["auc"], after["events"][event]["auc"]
        if now < was - config.max_auc_drop:
            found.append(f"AUC of {event} {was:.4f} to {now:.4f}")
    return found


def _share_of_zeros(facts: dict[str, Any]) -> float:
    shares = [share for share in facts["zero_share"].values() if share]
    return sum(shares) / len(shares) if shares else 0.0
