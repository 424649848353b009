"""What the retriever's towers bring to search, by the truth of the validation period.

    python -m benchmarks.bench_tower [--shop demo] [--home var] [--weights 0 1 2]

Reads a finished run of a simulated shop; fits a retriever that has not seen the period,
mines the pages again with each `SearchConfig.tower_weight`, fits the ranker on pages
before it. NDCG@10 of true clicks: of the candidates in the best order that
they allow, of the first stage, of the ranker with two seeds.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import shops
from benchmarks.search_trials import (
    Run,
    Validation,
    before_validation,
    fit_retriever,
    mined,
    scores_of,
)
from core import presets
from core.layout import HomeLayout
from trainer.export.prior_ranker import FUSED
from trainer.ranker.fit import fit_ranker

SEEDS = (17, 18)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shop", default="demo")
    parser.add_argument("--home", type=Path, default=Path("var"))
    parser.add_argument("--seed", type=int, default=0, help="of the simulated shop")
    parser.add_argument("--weights", type=float, nargs="+", default=[0.0, 1.0, 2.0])
    parser.add_argument("--work", type=Path, help="where trials are kept; a new folder")
    options = parser.parse_args()
    work = options.work or Path(tempfile.mkdtemp(prefix="bench_tower_"))
    shop = shops.load(options.shop, seed=options.seed)
    config = presets.for_shop(shop.config, shop.splits)
    run = Run(layout=HomeLayout(options.home, options.shop))
    retriever = fit_retriever(run, config, work)
    print(f"{options.shop}: trials in {work}")
    print(f"{'tower weight':14}{'allowed':>10}{'first':>10}{'ranker':>16}")
    for weight in options.weights:
        search = config.search.replace(tower_weight=weight)
        folder = mined(run, config, search, retriever, work / f"weight_{weight:g}")
        truth = Validation(run, shop, folder)
        first = truth.ndcg(truth.feature(folder, FUSED))
        line = f"{weight:<14g}{truth.best_possible():10.4f}{first:10.4f}"
        for seed in SEEDS:
            rows = before_validation(folder)
            settings = config.search_ranker.replace(
                target_event=rows.event_types[0], event_weights=(), seed=seed
            )
            fitted = fit_ranker(rows, settings)
            line += f"{truth.ndcg(scores_of(fitted, truth.rows.features)):8.4f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
