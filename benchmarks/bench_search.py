"""Prints how good search is: BM25 of others, and the served bundle, in one run.

python -m benchmarks.bench_search [--shop demo] [--data PATH] [--home var]

A simulated shop is measured on the searches of its test period against the true gain of
whoever searched (docs/simulated-shop.md), a shop with judgments (chorus, wands, esci)
against them, any other shop (online-retail) on known-item queries made from titles.
"dense alone" is the served encoder without words; "plain RRF" fuses it with BM25 by
reciprocal ranks, without a ranker; the version is the whole of search.
`bm25s` and `tantivy` must be installed. docs/search-evaluation.md has the protocol.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.search_systems import (
    System,
    dense_system,
    fused_system,
    lexical_systems,
    served_system,
)
from benchmarks.search_tasks import Task, task_of
from components.pusher.push import newest_version
from core import features
from core.layout import HomeLayout
from core.metrics import Grades, mean_interval, search_metrics
from shops import registry
from shops.shop import Shop

K = 10
SERVED_DEPTH = 300  # for metrics over judged items alone, which look far down


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shop", default="demo")
    parser.add_argument("--data", type=Path, help="folder of the shop's files")
    parser.add_argument("--home", type=Path, default=Path("var"))
    parser.add_argument("--seed", type=int, default=0, help="of a simulated shop")
    parser.add_argument("--max-searches", type=int, default=2_000)
    options = parser.parse_args()
    shop = registry.load(options.shop, data=options.data, seed=options.seed)
    version = newest_version(HomeLayout(options.home, options.shop).serving)
    systems = systems_of(shop, version)
    measure(shop, task_of(shop, max_searches=options.max_searches), systems)
    if version is None:
        print("(no pushed bundle: run `souk run` for this shop first)")


def systems_of(shop: Shop, version: Path | None) -> dict[str, System]:
    """Every system of the table, in its order; add yours here."""
    items = shop.tables.items
    systems = lexical_systems(items)
    if version is not None:
        dense = dense_system(version, items)
        if dense is not None:
            systems["souk, dense alone"] = dense
            words = systems["bm25s, all text, our terms"]
            systems["words and dense, plain RRF"] = fused_system(words, dense)
        systems[f"souk, version {version.name}"] = served_system(
            version, items, shop.config.context_features, depth=SERVED_DEPTH
        )
    return systems


def measure(shop: Shop, task: Task, systems: Mapping[str, System]) -> None:
    """Asks every system once and prints one table per truth, and one by class."""
    print(f"\n{shop.config.name}: {shop.tables.items.num_rows:,} items, {task.title}")
    pages, seconds = {}, {}
    for name, system in {**systems, **task.references}.items():
        start = time.perf_counter()
        found = system(task.requests)
        seconds[name] = time.perf_counter() - start
        pages[name] = as_rows(found, shop.tables.items)
    for truth, grades in task.truths.items():
        print_truth(task, truth, grades, pages, seconds)
    lead = next(iter(task.truths))
    print_classes(task, lead, task.truths[lead], pages)


def as_rows(pages: Sequence[Sequence[str]], items: object) -> np.ndarray:
    """[M, k'] int64 catalogue rows of ragged pages of ids, -1 behind their ends."""
    catalogue = pd.Index(items.column(features.ITEM_ID).to_pylist())
    width = max([K, *map(len, pages)])
    rows = np.full((len(pages), width), -1, np.int64)
    for number, page in enumerate(pages):
        rows[number, : len(page)] = catalogue.get_indexer(list(page))
    return rows


def print_truth(
    task: Task,
    truth: str,
    grades: Grades,
    pages: Mapping[str, np.ndarray],
    seconds: Mapping[str, float],
) -> None:
    """One line per system: metrics with intervals, empty pages, seconds."""
    metrics = task.metrics[truth]
    useful = grades.num_relevant > 0
    heads = "".join(f"{_head(name):>24}" for name in metrics)
    print(f"\n{truth} ({int(useful.sum()):,} searches)")
    print(f"{'system':30}{heads}{'empty':>8}{'s':>8}")
    for name, rows in pages.items():
        values = search_metrics(rows, grades, (K,), min_value=_least(grades))
        cells = []
        for metric in metrics:
            mean, low, high = mean_interval(values[metric][useful])
            cells.append(f"{f'{mean:.3f} [{low:.3f}, {high:.3f}]':>24}")
        empty = float((rows[useful] < 0).all(axis=1).mean())
        line = "".join(cells) + f"{empty:8.1%}{seconds[name]:8.1f}"
        print(f"{name:30}{line}", flush=True)


def print_classes(
    task: Task, truth: str, grades: Grades, pages: Mapping[str, np.ndarray]
) -> None:
    """The leading metric by class of query."""
    metric = task.metrics[truth][0]
    useful = grades.num_relevant > 0
    columns = {
        name: useful & np.array([name in found for found in task.classes])
        for name in task.class_order
    }
    columns = {name: inside for name, inside in columns.items() if inside.any()}
    print(f"\n{_head(metric)} of {truth}, by class of query")
    heads = "".join(f"{f'{n} ({int(i.sum())})':>18}" for n, i in columns.items())
    print(f"{'system':30}{heads}")
    for name, rows in pages.items():
        values = search_metrics(rows, grades, (K,), min_value=_least(grades))[metric]
        cells = "".join(f"{values[i].mean():18.3f}" for i in columns.values())
        print(f"{name:30}{cells}", flush=True)


def _least(grades: Grades) -> float:
    """What counts as relevant for mrr and recall: any grade, any probability."""
    return float(min(1.0, grades.values[grades.values > 0].min(initial=1.0)))


def _head(metric: str) -> str:
    name, _, k = metric.partition("@")
    words = {"ndcg": "NDCG", "ndcg_judged": "NDCG judged only", "mrr": "MRR"}
    return f"{words.get(name, name)}@{k}"


if __name__ == "__main__":
    main()
