"""Times the simulated shop and prints the oracle beside simple rules.

python -m benchmarks.bench_simulator [tiny demo large]
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd

from shops.simulated import simulate

K = 20
MAX_USERS = 2_000
EVENT_WEIGHTS = {"view": 0.02, "click": 0.3, "cart": 0.6, "purchase": 1.0}


def ndcg(pages: list[list[str]], truths: list[set[str]]) -> float:
    """Mean NDCG@K, ideal gain at min(|truth|, K)."""
    discounts = 1.0 / np.log2(np.arange(2, K + 2))
    values = []
    for page, truth in zip(pages, truths, strict=True):
        hits = np.array([item in truth for item in page[:K]], dtype=float)
        ideal = discounts[: min(len(truth), K)].sum()
        values.append(hits @ discounts[: len(hits)] / ideal)
    return float(np.mean(values))


def own_items(past: pd.DataFrame) -> dict[str, list[str]]:
    """Each person's items, by the weighted number of their events."""
    weighted = past.assign(weight=past["event"].map(EVENT_WEIGHTS))
    sums = weighted.groupby(["user_id", "item_id"])["weight"].sum().reset_index()
    sums = sums.sort_values("weight", ascending=False, kind="stable")
    lists: dict[str, list[str]] = sums.groupby("user_id")["item_id"].agg(list).to_dict()
    return lists


def measure(size: str) -> None:
    began = time.perf_counter()
    shop = simulate(size)
    seconds = time.perf_counter() - began
    events = shop.tables.events.to_pandas()
    print(
        f"{size}: {shop.tables.items.num_rows:,} items, {len(events):,} events, "
        f"{(events['event'] == 'purchase').sum():,} purchases in {seconds:.1f} s"
    )
    start = shop.splits.test_start
    past, future = (
        events[events["timestamp"] < start],
        events[events["timestamp"] >= start],
    )
    bought = future[
        (future["event"] == "purchase") & future["user_id"].isin(past["user_id"])
    ]
    truth = bought.groupby("user_id")["item_id"].agg(set).head(MAX_USERS)
    users, truths = list(truth.index), list(truth)
    popular = past[past["event"] == "purchase"]["item_id"].value_counts().index[:K]
    own = own_items(past)
    assert shop.world is not None
    pages = {
        "oracle": shop.world.oracle_page(users, start, K),
        "own items, then popular": [
            list(dict.fromkeys([*own.get(user, []), *popular]))[:K] for user in users
        ],
        "popular": [list(popular)] * len(users),
    }
    for name, page in pages.items():
        print(
            f"  NDCG@{K} of {len(users):,} people  {name:25} {ndcg(page, truths):.3f}"
        )


if __name__ == "__main__":
    for size in sys.argv[1:] or ["tiny", "demo", "large"]:
        measure(size)
