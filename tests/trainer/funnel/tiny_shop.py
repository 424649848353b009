"""A small random shop for the funnel's tests: 30 items, 20 users, two event types."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from core.config import ShopConfig, SplitConfig
from core.config.neighbours import NeighboursConfig
from core.features import SECONDS_PER_DAY
from trainer.funnel.tables import ItemTables, build_item_tables

DAY = SECONDS_PER_DAY
T2 = 15_000 * DAY
SHOP = ShopConfig(
    name="tiny",
    event_types=("view", "purchase"),
    event_weights=(0.2, 1.0),
    context_features=("country",),
)
SPLITS = SplitConfig(
    test_start=T2, horizon_days=10, stride_days=5, num_cutoffs=4, max_history=50
)
NUM_ITEMS = 30
COLD = 29  # never in an event


def items() -> pa.Table:
    """Thirty items in byte order; the last one is never in an event."""
    rows = range(NUM_ITEMS)
    colours = ("red", "blue", "绿色")
    return pa.table(
        {
            "item_id": [f"i{r:02d}" for r in rows],
            "title": [f"{colours[r % 3]} thing {r // 3} 手机" for r in rows],
            "category": [f"top{r % 2} > sub{r % 4}" for r in rows],
            "brand": [None if r % 5 == 0 else f"b{r % 3}" for r in rows],
            "price": pa.array(
                [None if r == 7 else 1.0 + r for r in rows], pa.float32()
            ),
        }
    )


def events(seed: int = 0, count: int = 900) -> pa.Table:
    """Events over 60 days before and 10 days after T2, sorted by user and time."""
    rng = np.random.default_rng(seed)
    users = rng.integers(0, 20, count)
    weights = 1.0 / np.arange(1, NUM_ITEMS)
    rows = rng.choice(NUM_ITEMS - 1, count, p=weights / weights.sum())
    stamps = T2 + rng.integers(-60 * DAY, 10 * DAY, count)
    order = np.lexsort((rows, stamps, users))
    bought = rng.random(count) < 0.6
    return pa.table(
        {
            "user_id": [f"u{u:02d}" for u in users[order]],
            "item_id": [f"i{r:02d}" for r in rows[order]],
            "event": ["purchase" if b else "view" for b in bought[order]],
            "timestamp": pa.array(stamps[order], pa.int64()),
            "session_id": pa.nulls(count, pa.string()),
            "country": [("FR", "DE")[u % 2] for u in users[order]],
        }
    )


def tables() -> ItemTables:
    """As of T2."""
    return build_item_tables(
        items(),
        events(),
        as_of=T2,
        shop=SHOP,
        config=NeighboursConfig(num_neighbours=10, ease_lambda=5.0, title_dim=8),
    )
