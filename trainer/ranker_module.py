"""Door of the Ranker step: TFX's Trainer calls `run_fn`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.config.ranker import RankerConfig
from trainer.export.ranker_export import save_ranker
from trainer.ranker.checkpoints import checkpoints_beside
from trainer.ranker.dataset import read_candidates
from trainer.ranker.fit import fit_ranker


def run_fn(fn_args: Any) -> None:
    """Fits the ranker on the mined candidates and writes its SavedModel.

    Args:
      fn_args: TFX's FnArgs. Read are `custom_config["config"]` (RankerConfig as JSON),
        `custom_config["uris"]["candidates"]`, `serving_model_dir` and `model_run_dir`.
    """
    config = RankerConfig.from_json(fn_args.custom_config["config"])
    rows = read_candidates(
        fn_args.custom_config["uris"]["candidates"],
        memory_limit_mb=config.memory_limit_mb,
    )
    run_dir = Path(fn_args.model_run_dir)
    with checkpoints_beside(run_dir) as folder:
        fitted = fit_ranker(rows, config, run_dir=run_dir, checkpoint_dir=folder)
        save_ranker(fitted, fn_args.serving_model_dir)
