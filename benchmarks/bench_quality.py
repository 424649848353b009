"""Prints how good the served bundle's pages are, beside peers fitted in the same run.

python -m benchmarks.bench_quality [--shop online-retail] [--home var] [--data PATH]

The protocol is docs/evaluation.md's: histories as of the cut, distinct items bought
after it, users and items known before it, NDCG and recall at 20. Where a shop logs
several kinds of events, each peer gets those that serve it best on the horizon before
the cut. For a simulated shop the share of the oracle's NDCG is printed too. Without a
pushed bundle, only the peers.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.peers import peers, timed, weightings, world_scorer
from components.evaluate_funnel.asked import Pages, ask_bundle
from components.evaluate_funnel.bundle_client import BundleClient
from components.evaluate_funnel.evaluate import make_views, scorer_pages
from components.evaluate_funnel.measure import View
from components.evaluate_funnel.test_set import TestSet, build_test_set
from components.pusher.push import newest_version
from core import features
from core.config import ShopConfig
from core.layout import HomeLayout
from core.metrics import hit_matrix, mean_interval, ndcg, recall
from shops import registry
from shops.shop import Shop

K = 20
BATCH_SIZE = 128


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shop", action="append", help="default online-retail, demo")
    parser.add_argument("--home", type=Path, default=Path("var"))
    parser.add_argument("--data", type=Path, help="local copy of Online Retail")
    parser.add_argument("--seed", type=int, default=0, help="of a simulated shop")
    options = parser.parse_args()
    for name in options.shop or ["online-retail", "demo"]:
        data = options.data if name == registry.ONLINE_RETAIL else None
        shop = registry.load(name, data=data, seed=options.seed)
        measure(shop, newest_version(HomeLayout(options.home, name).serving))


def measure(shop: Shop, version: Path | None) -> None:
    """Prints one shop's table."""
    test_set = test_set_of(shop, _max_history(version))
    views = make_views(test_set)
    print(
        f"\n{shop.config.name}: {test_set.num_items:,} items, "
        f"{len(test_set.past):,} events before the cut, "
        f"{len(views[0].numbers):,} people ({len(views[1].numbers):,} with new items)"
    )
    print(f"{'':41}{'all items':>34}{'new to the user':>36}")
    print(f"{'system':41}" + 2 * f"{f'NDCG@{K} [95 %]':>28}{f'R@{K}':>8}" + "   fit s")
    oracle = None
    if shop.world is not None:
        oracle = _print_oracle(shop, test_set, views)
    chosen = _best_weightings(shop, test_set, _max_history(version))
    for name, (label, weights) in chosen.items():
        scorer, seconds = timed(peers(test_set, shop.config, weights)[name])
        pages = scorer_pages(scorer, test_set, views, K)
        title = f"{name}, {label}" if label else name
        _print_row(title, pages, views, f"{seconds:8.1f}", oracle)
    if version is None:
        print("(no pushed bundle: run `souk run` for this shop first)")
        return
    start = time.perf_counter()
    ids = test_set.items.column(features.ITEM_ID).to_pylist()
    pages = ask_bundle(BundleClient(version, ids, BATCH_SIZE), test_set, views, K).pages
    asked = f"   asked in {time.perf_counter() - start:.0f} s"
    _print_row(f"souk, version {version.name}", pages, views, asked, oracle)


def _best_weightings(
    shop: Shop, test_set: TestSet, max_history: int
) -> dict[str, tuple[str, dict[str, float]]]:
    """Peer → (name of the weights, weights of events): by NDCG of all items before."""
    ways = weightings(shop.config)
    if len(ways) == 1:
        ((label, weights),) = ways.items()
        return dict.fromkeys(peers(test_set, shop.config, weights), (label, weights))
    before = shop.splits.replace(test_start=shop.splits.eval_start)
    validation = test_set_of(dataclasses.replace(shop, splits=before), max_history)
    views = make_views(validation)
    best: dict[str, tuple[str, dict[str, float]]] = {}
    values: dict[str, float] = {}
    for label, weights in ways.items():
        for name, fit in peers(validation, shop.config, weights).items():
            pages = scorer_pages(fit(), validation, views, K)
            value = float(_ndcg(pages, views[0]).mean())
            if value > values.get(name, -1.0):
                values[name], best[name] = value, (label, weights)
    return best


def test_set_of(shop: Shop, max_history: int) -> TestSet:
    """Everybody with events on both sides of the cut, from the canonical tables."""
    columns = [features.USER_ID, features.ITEM_ID, features.EVENT, features.TIMESTAMP]
    columns += shop.config.context_features
    log = shop.tables.events.select(columns).to_pandas()
    log = log.sort_values([features.USER_ID, features.TIMESTAMP], kind="stable")
    cutoff = shop.splits.test_start
    past = log[log[features.TIMESTAMP] < cutoff]
    future = log[log[features.TIMESTAMP].between(cutoff, shop.splits.test_end - 1)]
    items = shop.tables.items.sort_by(features.ITEM_ID)
    moments = _moments(past, future, cutoff, max_history, shop.config)
    return build_test_set(moments, items, shop.tables.events, shop.config)


def _moments(
    past: pd.DataFrame,
    future: pd.DataFrame,
    cutoff: int,
    max_history: int,
    shop: ShopConfig,
) -> pa.Table:
    before = past.groupby(features.USER_ID)
    after = future.groupby(features.USER_ID)
    people = sorted(set(before.groups) & set(after.groups))
    columns: dict[str, list[object]] = {
        features.USER_ID: people,
        features.TIMESTAMP: [cutoff] * len(people),
    }
    for name in shop.context_features:
        columns[name] = before[name].last().reindex(people).fillna("").tolist()
    sources = {
        features.ITEM_ID: (features.HISTORY_ITEM_IDS, features.TARGET_ITEM_IDS),
        features.EVENT: (features.HISTORY_EVENTS, features.TARGET_EVENTS),
        features.TIMESTAMP: (features.HISTORY_TIMESTAMPS, features.TARGET_TIMESTAMPS),
    }
    for source, (history, target) in sources.items():
        lists = before[source].agg(list).reindex(people)
        columns[history] = [values[-max_history:] for values in lists]
        columns[target] = after[source].agg(list).reindex(people).tolist()
    return pa.table(columns)


def _max_history(version: Path | None) -> int:
    """What the bundle was built for, as its souk.json says."""
    path = version / "souk.json" if version is not None else None
    if path is None or not path.is_file():
        return 200
    known = json.loads(path.read_text(encoding="utf-8"))
    return int(known.get("splits", {}).get("max_history", 200))


def _print_oracle(shop: Shop, test_set: TestSet, views: list[View]) -> list[float]:
    assert shop.world is not None
    world, ids = shop.world, test_set.items.column(features.ITEM_ID).to_pylist()
    scorer = world_scorer(
        lambda users, at: world.preference(users, at, ids),
        test_set.moments.column(features.USER_ID).to_pylist(),
        test_set.users,
        test_set.cutoff,
    )
    pages = scorer_pages(scorer, test_set, views, K)
    _print_row("oracle (true preferences)", pages, views, "", None)
    return [_ndcg(pages, view).mean() for view in views]


def _print_row(
    name: str, pages: Pages, views: list[View], note: str, oracle: list[float] | None
) -> None:
    cells = []
    for number, view in enumerate(views):
        hits = hit_matrix(pages[view.name], view.truth)
        value, low, high = mean_interval(_ndcg(pages, view))
        found = recall(hits, view.truth.sizes, K).mean()
        share = f" {value / oracle[number]:4.0%}" if oracle else ""
        interval = f"{value:.3f} [{low:.3f}, {high:.3f}]{share}"
        cells.append(f"{interval:>28}{found:8.3f}")
    print(f"{name:41}" + "".join(cells) + note, flush=True)


def _ndcg(pages: Pages, view: View) -> np.ndarray:
    return ndcg(hit_matrix(pages[view.name], view.truth), view.truth.sizes, K)


if __name__ == "__main__":
    main()
