"""A few real people: what they did last, what the bundle shows them, what they did."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from components.evaluate_funnel.test_set import IntArray, TestSet
from core import features

HISTORY_SHOWN = 8
PAGE_SHOWN = 10


def choose_moments(test_set: TestSet, count: int) -> IntArray:
    """Moment numbers spread evenly over users with short to long histories."""
    order = np.argsort(test_set.events_before, kind="stable")
    places = (np.arange(count) + 0.5) / count * len(order)
    return order[np.unique(np.minimum(places.astype(np.int64), len(order) - 1))]


def example_pages(
    test_set: TestSet,
    numbers: IntArray,
    rows: IntArray,
    scores: npt.NDArray[np.float32],
    reasons: npt.NDArray[np.object_],
) -> list[dict[str, Any]]:
    """One record per chosen moment, with titles; `rows` and so on are [M, k]."""
    catalogue = _Catalogue(test_set)
    relevant = [set[int]() for _ in range(test_set.num_moments)]
    for moment, row in zip(test_set.truth.moments, test_set.truth.rows, strict=True):
        relevant[moment].add(int(row))
    owned = set(zip(test_set.owned.moments, test_set.owned.rows, strict=True))
    users = test_set.moments.column(features.USER_ID).to_pylist()
    ids = _lists(test_set, features.HISTORY_ITEM_IDS)
    kinds = _lists(test_set, features.HISTORY_EVENTS)
    times = _lists(test_set, features.HISTORY_TIMESTAMPS)
    lengths = test_set.events_before.tolist()
    stamps = test_set.moments.column(features.TIMESTAMP).to_pylist()
    return [
        {
            "user_id": users[m],
            "timestamp": stamps[m],
            "history_length": lengths[m],
            "history": [
                {**catalogue.by_id(i), "event": e, "timestamp": t}
                for i, e, t in list(zip(ids[m], kinds[m], times[m], strict=True))[
                    : -HISTORY_SHOWN - 1 : -1
                ]
            ],
            "num_relevant": len(relevant[m]),
            "page": [
                {
                    **catalogue.by_row(int(row)),
                    "score": round(float(score), 4),
                    "reason": reason.decode(errors="replace"),
                    "hit": int(row) in relevant[m],
                    "owned": (m, row) in owned,
                }
                for row, score, reason in zip(
                    rows[m][:PAGE_SHOWN],
                    scores[m][:PAGE_SHOWN],
                    reasons[m][:PAGE_SHOWN],
                    strict=True,
                )
                if row >= 0
            ],
        }
        for m in numbers.tolist()
    ]


class _Catalogue:
    """Titles, categories and prices of items, by row and by id."""

    def __init__(self, test_set: TestSet) -> None:
        items = test_set.items
        wanted = (
            features.ITEM_ID,
            features.TITLE,
            features.CATEGORY,
            features.PRICE,
        )
        self._columns = {
            n: items.column(n).to_pylist() for n in wanted if n in items.column_names
        }
        ids = self._columns[features.ITEM_ID]
        self._row = {item: row for row, item in enumerate(ids)}

    def by_row(self, row: int) -> dict[str, Any]:
        return {name: values[row] for name, values in self._columns.items()}

    def by_id(self, item_id: str) -> dict[str, Any]:
        row = self._row.get(item_id)
        if row is None:
            return {features.ITEM_ID: item_id, features.TITLE: item_id}
        return self.by_row(row)


def _lists(test_set: TestSet, name: str) -> list[list[Any]]:
    values: list[list[Any]] = test_set.moments.column(name).to_pylist()
    return values
