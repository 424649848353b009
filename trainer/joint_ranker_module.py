"""Door of a Ranker step that learns recommendation and search together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.config.ranker import RankerConfig
from core.layout import SEARCH_SIDE
from trainer.export.prior_ranker import save_prior_ranker
from trainer.export.ranker_export import save_ranker
from trainer.ranker.checkpoints import checkpoints_beside
from trainer.ranker.dataset import read_candidates
from trainer.search.fit_joint_ranker import fit_joint_ranker


def run_fn(fn_args: Any) -> None:
    """Fits one ranker on both kinds of candidates and writes its two sides.

    Args:
      fn_args: TFX's FnArgs. Read are `custom_config["config"]` and `["search_config"]`
        (RankerConfig as JSON), `["uris"]["candidates"]` and `["search_candidates"]`,
        `serving_model_dir` and `model_run_dir`. The recommendation side is the model,
        the search side lies in its folder SEARCH_SIDE.
    """
    config, search_config = (
        RankerConfig.from_json(fn_args.custom_config[name])
        for name in ("config", "search_config")
    )
    moments, pages = (
        read_candidates(
            fn_args.custom_config["uris"][name], memory_limit_mb=config.memory_limit_mb
        )
        for name in ("candidates", "search_candidates")
    )
    run_dir = Path(fn_args.model_run_dir)
    names = pages.feature_names
    with checkpoints_beside(run_dir) as checkpoint_dir:
        found = fit_joint_ranker(
            moments,
            pages,
            config,
            search_config,
            run_dir=run_dir,
            checkpoint_dir=checkpoint_dir,
        )
        # The model's own saved_model.pb comes last.
        folder = Path(fn_args.serving_model_dir)
        if found.search is None:
            save_prior_ranker(names, folder / SEARCH_SIDE)
        else:
            save_ranker(found.search, folder / SEARCH_SIDE)
        save_ranker(found.recommendation, folder)
