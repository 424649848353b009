"""Metrics of the pages that several systems gave for the same moments."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from components.evaluate_funnel.slices import Labels
from components.evaluate_funnel.test_set import IntArray
from core.config.evaluation import EvaluationConfig
from core.metrics import (
    Interval,
    Truth,
    catalogue_coverage,
    exposure_gini,
    hit_matrix,
    intra_list_diversity,
    mean_intervals,
    mean_popularity,
    novelty,
    ranking_metrics,
)

Values = dict[str, npt.NDArray[np.float64]]  # metric → [M]
_SLICED = ("ndcg", "recall", "hit_rate")


@dataclasses.dataclass(frozen=True)
class View:
    """One way to look at the test set: `all`, or `new` items only.

    Attributes:
      name: `all` or `new`.
      numbers: [V] numbers of the test set's moments that the view keeps.
      truth: relevant rows of those V moments.
    """

    name: str
    numbers: IntArray
    truth: Truth


@dataclasses.dataclass(frozen=True)
class CatalogueFacts:
    """What the catalogue metrics need of the training data.

    Attributes:
      buyers: [n] distinct users per item before the cut-off.
      vectors: [n, d] L2-normalized content vectors.
    """

    buyers: npt.NDArray[np.float32]
    vectors: npt.NDArray[np.float64]


def values_of(pages: IntArray, view: View, k_values: tuple[int, ...]) -> Values:
    """Every ranking metric per moment of the view."""
    hits = hit_matrix(pages, view.truth)
    return ranking_metrics(hits, view.truth.sizes, k_values)


def with_intervals(values: Values, config: EvaluationConfig) -> dict[str, Any]:
    """Metric → {value, low, high}, over the view's moments."""
    stacked = np.stack(list(values.values()), axis=1)
    return _named(list(values), _intervals(stacked, config))


def catalogue_metrics(
    pages: IntArray, facts: CatalogueFacts, k: int
) -> dict[str, dict[str, float]]:
    """Metric → {value}: properties of all pages together, so without intervals."""
    top = pages[:, :k]
    num_items = len(facts.buyers)
    counts = facts.buyers.astype(np.int64)
    found = {
        "coverage": catalogue_coverage(top, num_items),
        "novelty": novelty(top, counts),
        "diversity": intra_list_diversity(top, facts.vectors),
        "mean_popularity": mean_popularity(top, counts),
        "exposure_gini": exposure_gini(top, num_items),
    }
    return {f"{name}@{k}": {"value": value} for name, value in found.items()}


def differences(
    systems: dict[str, Values], bundle: str, config: EvaluationConfig
) -> dict[str, Any]:
    """Baseline → metric → paired interval of bundle minus baseline."""
    ours = systems[bundle]
    names = [f"{m}@{config.primary_k}" for m in _SLICED]
    return {
        other: _named(
            names,
            _intervals(np.stack([ours[n] - theirs[n] for n in names], axis=1), config),
        )
        for other, theirs in systems.items()
        if other != bundle
    }


def sliced(
    labels: dict[str, Labels],
    view: View,
    systems: dict[str, Values],
    config: EvaluationConfig,
) -> list[dict[str, Any]]:
    """One record per slice: feature, value, num_moments and every system's metrics."""
    names = [f"{m}@{config.primary_k}" for m in _SLICED]
    stacked = np.concatenate(
        [np.stack([v[n] for n in names], axis=1) for v in systems.values()], axis=1
    )
    records = []
    for feature, all_values in labels.items():
        values = all_values[view.numbers]
        for value in sorted(set(values)):
            inside = values == value
            intervals = iter(_intervals(stacked[inside], config))
            records.append(
                {
                    "feature": feature,
                    "value": value,
                    "view": view.name,
                    "num_moments": int(inside.sum()),
                    "systems": {
                        s: _named(names, [next(intervals) for _ in names])
                        for s in systems
                    },
                }
            )
    return records


def _intervals(
    values: npt.NDArray[np.float64], config: EvaluationConfig
) -> list[Interval]:
    return mean_intervals(
        values,
        num_samples=config.bootstrap_samples,
        confidence=config.confidence,
        seed=config.seed,
    )


def _named(names: list[str], intervals: list[Interval]) -> dict[str, Any]:
    return {n: i.to_dict() for n, i in zip(names, intervals, strict=True)}
