"""Metrics of the pages that several systems gave for the same searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from components.evaluate_funnel.test_set import IntArray
from core.config.search_evaluation import SearchEvaluationConfig
from core.metrics import (
    Grades,
    Interval,
    catalogue_coverage,
    mean_intervals,
    search_metrics,
)
from core.metrics.query_classes import QUERY_CLASSES

Values = dict[str, npt.NDArray[np.float64]]  # metric → [M]
Pages = Mapping[str, IntArray]  # system → [M, k'] catalogue rows
BUNDLE = "bundle"
# Where the truth is what people did, all that they did not is "not judged".
_OF_JUDGMENTS_ONLY = ("judged", "ndcg_judged", "ndcg_exp")


def metric_names(config: SearchEvaluationConfig, *, judged: bool) -> tuple[str, ...]:
    """Metrics of a truth at the primary k; fewer where the truth is what people did."""
    names = ("ndcg", "ndcg_exp", "ndcg_judged", "judged", "mrr", "recall")
    kept = [n for n in names if judged or n not in _OF_JUDGMENTS_ONLY]
    return tuple(f"{name}@{config.primary_k}" for name in kept)


def measured(
    pages: Pages,
    grades: Grades,
    classes: Sequence[frozenset[str]],
    config: SearchEvaluationConfig,
    *,
    judged: bool,
) -> dict[str, Any]:
    """Every system's metrics, the bundle against the others, and both by class.

    Searches without a relevant item (of this truth) are left out.

    Args:
      pages: system → [M, page_length] catalogue rows, -1 an empty place.
      grades: the truth of the M searches.
      classes: [M] classes of each search's query.
      config: protocol.
      judged: whether the truth is human judgments, and not what people did.
    """
    useful = np.flatnonzero(grades.num_relevant > 0)
    values = {
        system: _values(rows, grades, useful, config, judged)
        for system, rows in pages.items()
    }
    labels = [classes[number] for number in useful.tolist()]
    names = metric_names(config, judged=judged)
    return {
        "num_searches": len(useful),
        "num_relevant": int(grades.num_relevant.sum()),
        "systems": {
            system: {
                **_named(each, list(each), config),
                **_of_pages(pages[system][useful], grades.num_items, config),
            }
            for system, each in values.items()
        },
        "differences": _differences(values, names, config),
        "classes": [
            {
                "class": name,
                "num_searches": int(inside.sum()),
                "systems": {
                    system: _named(_chosen(each, inside), names, config)
                    for system, each in values.items()
                },
                "differences": _differences(
                    {s: _chosen(v, inside) for s, v in values.items()}, names, config
                ),
            }
            for name in QUERY_CLASSES
            if (inside := np.array([name in found for found in labels], bool)).sum()
            >= config.min_class_size
        ],
    }


def _values(
    pages: IntArray,
    grades: Grades,
    useful: IntArray,
    config: SearchEvaluationConfig,
    judged: bool,
) -> Values:
    found = search_metrics(pages, grades, config.k_values)
    return {
        name: values[useful]
        for name, values in found.items()
        if judged or name.partition("@")[0] not in _OF_JUDGMENTS_ONLY
    }


def _of_pages(
    pages: IntArray, num_items: int, config: SearchEvaluationConfig
) -> dict[str, dict[str, float]]:
    """Properties of the pages themselves, without intervals."""
    k = config.primary_k
    empty = (pages < 0).all(axis=1)
    return {
        f"coverage@{k}": {"value": catalogue_coverage(pages[:, :k], num_items)},
        "empty_page_rate": {"value": float(empty.mean()) if len(empty) else 0.0},
    }


def _differences(
    values: Mapping[str, Values],
    names: Sequence[str],
    config: SearchEvaluationConfig,
) -> dict[str, Any]:
    """System → metric → paired interval of the bundle minus it."""
    ours = values[BUNDLE]
    return {
        system: _named({n: ours[n] - theirs[n] for n in names}, names, config)
        for system, theirs in values.items()
        if system != BUNDLE
    }


def _chosen(values: Values, inside: npt.NDArray[np.bool_]) -> Values:
    return {name: each[inside] for name, each in values.items()}


def _named(
    values: Values, names: Sequence[str], config: SearchEvaluationConfig
) -> dict[str, dict[str, float]]:
    stacked = np.stack([values[name] for name in names], axis=1)
    intervals: list[Interval] = mean_intervals(
        stacked,
        num_samples=config.bootstrap_samples,
        confidence=config.confidence,
        seed=config.seed,
    )
    return {n: i.to_dict() for n, i in zip(names, intervals, strict=True)}
