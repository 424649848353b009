"""Features of one person and one item, written out with Python loops."""

from __future__ import annotations

import math

import numpy as np

from core.features import SECONDS_PER_DAY
from trainer.funnel.tables import ItemTables

Event = tuple[int, str, int]  # catalogue row, event type, timestamp


def slow_features(
    history: list[Event],
    now: int,
    row: int,
    tables: ItemTables,
) -> dict[str, float]:
    """What the graph should find, for the features that depend on the history."""
    days = float(SECONDS_PER_DAY)
    n = tables.num_items
    known = [(r, e, t) for r, e, t in history if r < n and t < now]
    # One event per (type, visit, item): the first one within the visit.
    first: dict[tuple[str, int, int], int] = {}
    for r, e, t in known:
        key = (e, t // SECONDS_PER_DAY, r)
        first[key] = max(first.get(key, t), t)
    bought = [(k[2], t) for k, t in first.items() if k[0] == "purchase"]
    purchases = [(r, t) for r, e, t in known if e == "purchase"]
    visits = sorted({t // SECONDS_PER_DAY for _, t in purchases}, reverse=True)
    mine = [t for r, t in purchases if r == row]
    ages = [(now - t) / days for r, t in bought if r == row]
    found: dict[str, float] = {
        "owned": float(bool(mine)),
        "count": math.log1p(len(ages)),
        "visit_share": len(ages) / len(visits) if visits else 0.0,
        "since": math.log1p((now - max(mine)) / days if mine else 3650.0),
        "first": math.log1p((now - min(mine)) / days if mine else 3650.0),
        "visits_since": math.log1p(
            visits.index(max(mine) // SECONDS_PER_DAY) + 1 if mine else 200.0
        ),
        "decayed_45d": math.log1p(sum(math.exp(-a / 45.0) for a in ages)),
        "decayed_120d": math.log1p(sum(math.exp(-a / 120.0) for a in ages)),
        "visits": math.log1p(len(visits)),
        "bought": math.log1p(len(bought)),
        "view_count": math.log1p(
            sum(1 for k in first if k[0] == "view" and k[2] == row)
        ),
    }
    once = dict.fromkeys({r for r, _ in bought}, 1.0)
    found["cf_score"] = math.sqrt(_linked("cf", once, tables)[row])
    weights = {k: math.exp(-(now - t) / days / 120.0) for k, t in first.items()}
    touched: dict[int, float] = {}
    for key, weight in weights.items():
        touched[key[2]] = touched.get(key[2], 0.0) + weight
    touched = {r: math.log1p(weight) for r, weight in touched.items()}
    found["interest_score"] = math.sqrt(_linked("interest", touched, tables)[row])
    taste = sum(w * tables.factors_in[r] for r, w in touched.items())
    found["factors_score"] = math.sqrt(max(float(tables.factors_out[row] @ taste), 0.0))
    for name, ids in tables.facets.items():
        same = sum(w for k, w in weights.items() if ids[k[2]] == ids[row])
        total = sum(weights.values())
        found[f"{name}_share"] = same / total if total else 0.0
    prices = [tables.prices[k[2]] for k in first]
    mean = sum(prices) / len(prices) if prices else 0.0
    found["price_against"] = float(tables.prices[row] - mean)
    return found


def _linked(source: str, weights: dict[int, float], tables: ItemTables) -> np.ndarray:  # type: ignore[type-arg]
    scores = np.zeros(tables.num_items)
    table = tables.neighbours[source]
    for row, weight in weights.items():
        for other, score in zip(table.rows[row], table.scores[row], strict=True):
            if other < tables.num_items:
                scores[other] += weight * score
    return scores
