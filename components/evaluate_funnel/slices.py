"""Which slices a moment falls into."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pandas as pd

from components.evaluate_funnel.test_set import TestSet
from core import features
from core.config import ShopConfig
from core.config.evaluation import EvaluationConfig

ACTIVITY_BUCKET = "activity_bucket"
PRICE_BUCKET = "price_bucket"
RETURNING = "returning"
_OTHER = "other"
_UNKNOWN = "unknown"

Labels = npt.NDArray[np.object_]


def slice_labels(
    test_set: TestSet, shop: ShopConfig, config: EvaluationConfig
) -> dict[str, Labels]:
    """Slice feature → [M] labels, the same for metrics, TFMA and the report.

    Context features keep their most frequent values, the others become "other";
    `activity_bucket` counts the user's events before the cut-off; `returning` is "new"
    for users with at most one visit with a target event, else "returning";
    `price_bucket` is the tercile, among catalogue prices, of the median price of the
    user's items.
    """
    labels = {
        name: _context(test_set, name, config.top_context_values)
        for name in shop.context_features
        if name in test_set.moments.column_names
    }
    labels[ACTIVITY_BUCKET] = _activity(test_set, config.activity_edges)
    labels[RETURNING] = _returning(test_set, shop.target_event)
    if features.PRICE in test_set.items.column_names:
        labels[PRICE_BUCKET] = _price(test_set)
    return labels


def slice_features(shop: ShopConfig) -> tuple[str, ...]:
    """Names of all slice features of a shop."""
    return (*shop.context_features, ACTIVITY_BUCKET, RETURNING, PRICE_BUCKET)


def _context(test_set: TestSet, name: str, top: int) -> Labels:
    values = test_set.moments.column(name).to_pandas().fillna("").astype(str)
    values = values.where(values != "", _UNKNOWN)
    kept = values.value_counts().index[:top]
    return np.asarray(values.where(values.isin(kept), _OTHER), object)


def _activity(test_set: TestSet, edges: tuple[int, ...]) -> Labels:
    names = ["0" if edges[0] == 1 else f"0-{edges[0] - 1}"]
    names += [f"{low}-{high - 1}" for low, high in itertools.pairwise(edges)]
    names.append(f"{edges[-1]}+")
    places = np.searchsorted(np.asarray(edges), test_set.events_before, side="right")
    return np.asarray(names, object)[places]


def _returning(test_set: TestSet, target_event: str) -> Labels:
    past = test_set.past
    bought = past[past["event"] == target_event]
    visits = bought.groupby("user")["timestamp"].nunique()
    known = _per_user(test_set, visits)
    return np.where(known > 1, "returning", "new").astype(object)


def _price(test_set: TestSet) -> Labels:
    prices = test_set.items.column(features.PRICE).to_pandas().to_numpy(np.float64)
    known = prices[np.isfinite(prices)]
    if len(known) == 0:
        return np.full(test_set.num_moments, _UNKNOWN, object)
    past = test_set.past.assign(price=prices[test_set.past["row"]])
    medians = past.groupby("user")["price"].median()
    typical = medians.reindex(test_set.users).to_numpy()
    places = np.searchsorted(np.quantile(known, [1 / 3, 2 / 3]), typical)
    names = np.asarray(["low", "middle", "high"], object)[np.minimum(places, 2)]
    return np.where(np.isfinite(typical), names, _UNKNOWN).astype(object)


def _per_user(
    test_set: TestSet,
    counts: pd.Series,  # type: ignore[type-arg]
) -> npt.NDArray[np.int64]:
    found = counts.reindex(test_set.users).fillna(0).to_numpy()
    return np.asarray(found, np.int64)
