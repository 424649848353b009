"""How words and meaning add up on judged queries, the weight chosen by folds.

    python -m benchmarks.bench_fusion --shop chorus --home var

Reads a finished run of a shop without events. Each form has one weight w of words, the
rest is of meaning; with feedback it also has a number of items and their weight. All
are chosen on the queries of the other folds by their NDCG@10, and measured on those
held out: all judged queries count, none has chosen its own setting.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

import shops
from benchmarks.search_trials import Run
from components.evaluate_search.searches import judged_searches
from core import features
from core.config.lexical import LexicalConfig
from core.layout import HomeLayout
from core.metrics import search_metrics
from trainer.data.examples import read_split
from trainer.search.analyzer import Analyzer
from trainer.search.inverted_index import build_inverted_index
from trainer.search.lexical import LexicalIndex

WEIGHTS = tuple(np.round(np.arange(0.15, 0.51, 0.05), 2))
FEEDBACK_ITEMS, FEEDBACK_WEIGHTS = (2, 3, 5), (0.25, 0.5, 1.0)
METRICS = ("ndcg@10", "ndcg_judged@10")
DEPTH, FLOOR = 300, 1_000
FOLDS, SEEDS = 5, 20
Scores = npt.NDArray[np.float32]  # [Q, n]


def share(scores: Scores) -> Scores:
    """Over the query's best."""
    return scores / np.maximum(scores.max(axis=1, keepdims=True), 1e-9)


def above_floor(scores: Scores) -> Scores:
    """0 at the 1,000th best and below, 1 at the best."""
    floor = -np.partition(-scores, FLOOR - 1, axis=1)[:, FLOOR - 1 : FLOOR]
    best = scores.max(axis=1, keepdims=True)
    return np.maximum(scores - floor, 0.0) / np.maximum(best - floor, 1e-9)


def above_mean(scores: Scores) -> Scores:
    """0 at the mean and below, 1 at the best."""
    above = np.maximum(scores - scores.mean(axis=1, keepdims=True), 0.0)
    return share(above)


def forms(bm25: Scores, cosine: Scores) -> dict[str, tuple[Scores, Scores]]:
    """Name → words and meaning as they are added."""
    root = np.sqrt(share(bm25))
    return {
        "BM25 share, cosine share": (share(bm25), share(cosine)),
        "BM25 share, cosine": (share(bm25), cosine),
        "root of BM25 share, cosine": (root, cosine),
        "both above the 1,000th best": (above_floor(bm25), above_floor(cosine)),
        "both above the mean": (above_mean(bm25), above_mean(cosine)),
    }


def with_feedback(
    bm25: Scores, asked: Scores, vectors: Scores
) -> Iterator[tuple[str, Scores]]:
    """The first form once more, its queries moved towards the best items' mean.

    Args:
      asked: [Q, d] vectors of the queries, of norm 1.
      vectors: [n, d] of the items.
    """
    words, cosine = share(bm25), share(np.maximum(asked @ vectors.T, 0.0))
    for w in WEIGHTS:
        best = np.argsort(-(w * words + (1 - w) * cosine), axis=1)
        for count, weight in itertools.product(FEEDBACK_ITEMS, FEEDBACK_WEIGHTS):
            moved = asked + weight * vectors[best[:, :count]].mean(axis=1)
            moved /= np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
            meaning = share(np.maximum(moved @ vectors.T, 0.0))
            name = f"w {w:.2f}, {count} items of weight {weight}"
            yield name, w * words + (1 - w) * meaning


def signals(run: Run, queries: list[str]) -> tuple[Scores, Scores, Scores]:
    """[Q, n] BM25 of every item, [Q, d] queries' vectors, [n, d] items' vectors."""
    items = read_split(str(run.newest("Clean", "items")), "train")
    config, analyzer = LexicalConfig(), Analyzer()
    inverted = build_inverted_index(items, config, analyzer)
    index = LexicalIndex(inverted, config, analyzer)
    texts = tf.constant(queries)
    bm25 = index.scores(index.terms(texts)).numpy()[:, : items.num_rows]
    model = run.newest("TextEncoder", "model") / "Format-Serving"
    encoder = tf.saved_model.load(str(model))
    asked = encoder.embed_queries(texts).numpy()
    vectors = np.load(run.newest("TextEncoder", "item_vectors") / "item_vectors.npy")
    return bm25, asked, vectors


def held_out(
    values: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and standard deviation over seeds of both metrics of queries held out.

    Args:
      values: [candidates, Q, 2]; the first metric chooses the candidate.
    """
    count = values.shape[1]
    found = []
    for seed in range(SEEDS):
        order = np.random.default_rng(seed).permutation(count)
        out = np.zeros((count, 2))
        for fold in range(FOLDS):
            test = order[fold::FOLDS]
            train = np.setdiff1d(order, test)
            best = values[:, train, 0].mean(axis=1).argmax()
            out[test] = values[best, test]
        found.append(out.mean(axis=0))
    return np.mean(found, axis=0), np.std(found, axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shop", default="chorus")
    parser.add_argument("--home", type=Path, default=Path("var"))
    options = parser.parse_args()
    layout = HomeLayout(options.home, options.shop)
    run = Run(layout=layout)
    items = read_split(str(run.newest("Clean", "items")), "train")
    judgments = shops.read_tables(layout.tables).tables.judgments
    ids = items.column(features.ITEM_ID).to_pylist()
    searches = judged_searches(judgments, ids)
    grades = searches.truths["graded"]
    bm25, asked, vectors = signals(run, list(searches.queries))
    cosine = np.maximum(asked @ vectors.T, 0.0)

    def judged(scores: Scores) -> npt.NDArray[np.float64]:
        pages = np.argsort(-scores, axis=1, kind="stable")[:, :DEPTH]
        found = search_metrics(pages, grades, (10,))
        return np.stack([found[name] for name in METRICS], axis=1)

    print(f"{len(searches.queries)} judged queries, {len(ids):,} items")
    for name, scores in (("BM25", bm25), ("cosine", cosine)):
        print(f"{name}: " + " / ".join(f"{v:.3f}" for v in judged(scores).mean(0)))
    every = []
    for name, (words, meaning) in forms(bm25, cosine).items():
        tried = np.stack([judged(w * words + (1 - w) * meaning) for w in WEIGHTS])
        every.append(tried)
        for weight, values in zip(WEIGHTS, tried.mean(axis=1), strict=True):
            print(f"  {name}, w {weight:.2f}: {values[0]:.3f} / {values[1]:.3f}")
        _show(name, tried)
    moved = {n: judged(s) for n, s in with_feedback(bm25, asked, vectors)}
    for name, values in moved.items():
        print(f"  feedback, {name}: " + " / ".join(f"{v:.3f}" for v in values.mean(0)))
    _show("BM25 share, cosine share, feedback", np.stack(list(moved.values())))
    _show("the form too", np.concatenate(every))


def _show(name: str, values: npt.NDArray[np.float64]) -> None:
    mean, spread = held_out(values)
    cells = " / ".join(f"{m:.3f} ({s:.3f})" for m, s in zip(mean, spread, strict=True))
    print(f"held out, {name}: {cells}", flush=True)


if __name__ == "__main__":
    main()
