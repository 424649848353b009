"""How long the list of candidates must be, judged on a shop's validation period.

    python -m benchmarks.bench_candidates [--shop demo] [--home var]

Takes the candidates that the shop's newest run has mined, fits the ranker on its
training moments, and cuts the validation moments' lists ever shorter. The retriever of
that run has seen the validation period, which flatters all lengths alike.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.config.ranker import RankerConfig
from core.errors import ArtifactError
from trainer.ranker.dataset import CandidateRows, read_candidates
from trainer.ranker.fit import FittedRanker, fit_ranker
from trainer.ranker.metrics import mean, ndcg
from trainer.ranker.model import split_heads

LENGTHS = (48, 64, 96, 128, 192, 256, 320)
SEEDS = (17, 18)
TOP_K = 20
CHUNK_ROWS = 65_536
Floats = npt.NDArray[np.float32]


def newest_candidates(home: Path, shop: str) -> Path:
    """The folder of the newest candidates that a shop's runs have mined."""
    found = (home / shop / "tfx").glob("MineNegatives/candidates/*/meta.json")
    newest = max(found, key=lambda path: path.stat().st_mtime, default=None)
    if newest is None:
        raise ArtifactError(
            f"{home / shop} must hold mined candidates. Received none. "
            f"Run `make run SHOP={shop}` first."
        )
    return newest.parent


def scores_of(fitted: FittedRanker, rows: CandidateRows) -> Floats:
    """[N] scores of all rows."""
    parts = []
    for start in range(0, len(rows.features), CHUNK_ROWS):
        features = fitted.normalizer.apply(rows.features[start : start + CHUNK_ROWS])
        logits = fitted.model(features, training=False)
        found, _ = split_heads(logits, fitted.event_types, fitted.config)
        parts.append(found.numpy())
    return np.concatenate(parts)


def bench(folder: Path) -> None:
    """Prints NDCG@20 all / new by list length, a column for each seed."""
    judged = read_candidates(str(folder), splits=("eval",))
    moments = judged.moments("eval")
    sizes = np.diff(judged.starts)[moments]
    place = np.concatenate([np.arange(size) for size in sizes])  # best first
    scores = []
    for seed in SEEDS:
        rows = read_candidates(str(folder), splits=("train",))
        event = "purchase"
        fitted = fit_ranker(rows, RankerConfig(target_event=event, seed=seed))
        scores.append(scores_of(fitted, judged)[judged.rows_of(moments)])
    print(f"{len(moments)} validation moments, lists of up to {sizes.max()}")
    print("length " + "".join(f"{f'seed {seed}: all / new':>24}" for seed in SEEDS))
    for length in (n for n in LENGTHS if n <= max(sizes.max(), LENGTHS[0])):
        cells = []
        for found in scores:
            cut = np.where(place < length, found, -np.inf).astype(np.float32)
            all_, new = (
                mean(
                    ndcg(judged, moments, cut, event=event, top_k=TOP_K, new_only=only)
                )
                for only in (False, True)
            )
            cells.append(f"{all_:.4f} / {new:.4f}")
        print(f"{length:6} " + "".join(f"{cell:>24}" for cell in cells), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shop", default="demo")
    parser.add_argument("--home", type=Path, default=Path("var"))
    options = parser.parse_args()
    bench(newest_candidates(options.home, options.shop))


if __name__ == "__main__":
    main()
