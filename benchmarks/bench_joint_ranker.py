"""One ranker for recommendation and search beside two, on a finished run's candidates.

    python -m benchmarks.bench_joint_ranker [--shop demo] [--home var] [--seed 17]

All are trained on what was before the validation period and judged on it, each kind as
its own ranker is: recommendation by NDCG of the target event, search by NDCG of the
clicks among what the log's pages showed (what was shown decides what could be clicked:
a log's figure, not the truth). `first stage` is the order without a ranker.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import shops
from benchmarks.search_trials import Run
from core import presets
from core.layout import HomeLayout
from trainer.ranker.dataset import CandidateRows, read_candidates
from trainer.ranker.fit import HISTORY, fit_ranker
from trainer.search.fit_joint_ranker import fit_joint_ranker
from trainer.search.fit_search_ranker import fit_search_ranker


def timed(fit: Callable[[Path], Any]) -> tuple[dict[str, Any], float]:
    """history.json of a fit, and the processor seconds that it took."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        fit(Path(folder))
        seconds = time.process_time() - start
        history: dict[str, Any] = json.loads((Path(folder) / HISTORY).read_text())
    return history, seconds


def line(name: str, ndcg: float, new: float, search: float, seconds: float) -> None:
    print(f"{name:14}{ndcg:10.4f}{new:10.4f}{search:10.4f}{seconds:10.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shop", default="demo")
    parser.add_argument("--home", type=Path, default=Path("var"))
    parser.add_argument("--seed", type=int, default=17)
    options = parser.parse_args()
    layout = HomeLayout(options.home, options.shop)
    known = shops.read_tables(layout.tables)
    full = presets.for_shop(known.config, known.splits)
    config = full.ranker.replace(seed=options.seed)
    pages = full.search_ranker.replace(seed=options.seed)
    run = Run(layout=layout)

    # Fits normalize features in place, so each reads its own.
    def moments_rows() -> CandidateRows:
        return read_candidates(str(run.newest("MineNegatives", "candidates")))

    def search_rows() -> CandidateRows:
        return read_candidates(str(run.newest("MineSearches", "search_candidates")))

    print(f"{options.shop}, seed {options.seed}, validation period")
    print(f"{'':14}{'NDCG':>10}{'new':>10}{'search':>10}{'CPU s':>10}")
    alone, first_s = timed(lambda d: fit_ranker(moments_rows(), config, run_dir=d))
    search, second_s = timed(
        lambda d: fit_search_ranker(search_rows(), pages, run_dir=d)
    )
    found = alone["validation"]
    metric = search["validation"]["metric"]
    line("apart", found["ndcg"], found["ndcg_new"], metric, first_s + second_s)
    joint, seconds = timed(
        lambda d: fit_joint_ranker(
            moments_rows(), search_rows(), config, pages, run_dir=d
        )
    )
    found = joint["validation"]
    line("jointly", found["ndcg"], found["ndcg_new"], found["search"], seconds)
    print(f"search in the first stage's order: {joint['first_stage']:.4f}")


if __name__ == "__main__":
    main()
