"""A few queries of different classes and the pages that they got."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from components.evaluate_funnel.test_set import IntArray
from components.evaluate_search.searches import Searches
from core import features
from core.metrics import Grades, grade_matrix
from core.metrics.query_classes import QUERY_CLASSES

PAGE_SHOWN = 8
_ITEM_COLUMNS = (
    features.ITEM_ID,
    features.TITLE,
    features.BRAND,
    features.CATEGORY,
    features.PRICE,
)


def choose_searches(
    classes: Sequence[frozenset[str]],
    values: npt.NDArray[np.float64],
    count: int,
) -> list[int]:
    """Numbers of searches: of each class in turn the middling one.

    Args:
      classes: [M] of each search's query.
      values: [M] a metric; the chosen search of a class has its median.
      count: how many at most.
    """
    chosen: list[int] = []
    order = np.argsort(values, kind="stable")
    for name in QUERY_CLASSES[::-1]:  # the rare classes first
        inside = [int(n) for n in order if name in classes[n] and n not in chosen]
        if inside and len(chosen) < count:
            chosen.append(inside[len(inside) // 2])
    return chosen


def example_pages(
    searches: Searches,
    grades: Grades,
    items: pa.Table,
    numbers: Sequence[int],
    classes: Sequence[frozenset[str]],
    asked: tuple[IntArray, npt.NDArray[np.float32], npt.NDArray[np.object_]],
) -> list[dict[str, Any]]:
    """One record per chosen search, with titles.

    Args:
      searches: M searches.
      grades: their truth; a place without one has grade null.
      items: the catalogue.
      numbers: the chosen searches.
      classes: [M] of each search's query.
      asked: rows, scores and reasons [M, k] of the bundle.
    """
    rows, scores, reasons = asked
    found = grade_matrix(rows, grades)
    held = [name for name in _ITEM_COLUMNS if name in items.column_names]
    users = searches.moments.column(features.USER_ID).to_pylist()
    return [
        {
            "query": searches.queries[m],
            "user_id": users[m],
            "classes": [name for name in QUERY_CLASSES if name in classes[m]],
            "num_relevant": int(grades.num_relevant[m]),
            "page": [
                {
                    **{name: items.column(name)[int(row)].as_py() for name in held},
                    "score": round(float(scores[m][place]), 4),
                    "reason": reasons[m][place].decode(errors="replace"),
                    "grade": None
                    if np.isnan(found[m][place])
                    else float(found[m][place]),
                }
                for place, row in enumerate(rows[m][:PAGE_SHOWN].tolist())
                if row >= 0
            ],
        }
        for m in numbers
    ]
