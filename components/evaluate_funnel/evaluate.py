"""The bundle, and the baselines, measured on the test split (docs/evaluation.md)."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import scipy.sparse as sp

from components import worker_memory
from components.evaluate_funnel import baselines
from components.evaluate_funnel.ask_in_beam import load_later
from components.evaluate_funnel.asked import BUNDLE, Pages, ask_in_beam, selected
from components.evaluate_funnel.bundle_client import BundleClient
from components.evaluate_funnel.content import content_vectors
from components.evaluate_funnel.measure import (
    CatalogueFacts,
    Values,
    View,
    catalogue_metrics,
    differences,
    sliced,
    values_of,
    with_intervals,
)
from components.evaluate_funnel.slices import slice_labels
from components.evaluate_funnel.test_set import TestSet
from core import signatures
from core.config import ShopConfig
from core.config.evaluation import EvaluationConfig
from core.config.gates import ITEM_KNN, POPULARITY, USER_FREQUENCY
from core.metrics import Truth, area_under_curve, calibration_error, hit_matrix
from core.metrics.probability import quantile_bins
from core.progress import advance, counted
from core.room import batch_size

SCHEMA_VERSION = 1
LAST_BLESSED = "last_blessed"
UNCOMPRESSED = "uncompressed"


def evaluate_funnel(
    model_dir: str | Path,
    test_set: TestSet,
    shop: ShopConfig,
    config: EvaluationConfig,
    *,
    pipeline: beam.Pipeline,
    folder: str | Path,
    other_models: Mapping[str, str | Path] | None = None,
) -> dict[str, Any]:
    """Content of metrics.json.

    Args:
      model_dir: the bundle's SavedModel, readable by every Beam worker.
      test_set: moments, truth and the data before them.
      shop: target event and context features.
      config: protocol.
      pipeline: in which the bundles are asked; not yet entered.
      folder: for the workers' answers, writable by all of them; removed at the end.
      other_models: further bundles to measure on the same moments, by the system's
        name: the last blessed one, the one that this was compressed from.
    """
    start = time.monotonic()
    views = make_views(test_set)
    models = {BUNDLE: model_dir, **(other_models or {})}
    bundles = load_later(
        models,
        test_set.items,
        Path(folder),
        batch_size=batch_size(config.batch_size, test_set.num_items),
        page_length=config.page_length,
    )
    # Held during the run: workers in this process then load no copy of their own.
    client = bundles[BUNDLE].client()
    found = ask_in_beam(bundles, test_set, views, Path(folder), pipeline)
    seconds = found[BUNDLE].seconds
    asked = found.pop(BUNDLE)
    shutil.rmtree(folder)
    worker_memory.release()
    answered = counted(test_set.num_moments, "moment")
    advance("EvaluateFunnel", 1, 3, f"{answered} in {seconds:.0f} s")
    systems = {BUNDLE: asked.pages, **baseline_pages(test_set, shop, views, config)}
    systems |= {name: other.pages for name, other in found.items()}
    advance("EvaluateFunnel", 2, 3, counted(len(systems), "system"))
    report = summarize(systems, test_set, shop, views, config)
    report["probabilities"] = _probabilities(
        client, test_set, shop, asked.pages["all"].shape[1]
    )
    report["example_pages"] = asked.examples(test_set, config.num_example_pages)
    report["timing"] = {
        "bundle_seconds": round(seconds, 3),
        "total_seconds": round(time.monotonic() - start, 3),
    }
    advance("EvaluateFunnel", 3, 3, headline(report))
    return report


def headline(report: dict[str, Any]) -> str:
    """One line: the primary metric of every system, all items and new ones.

    A dash stands for a view without a moment.
    """
    metric, counts = report["primary_metric"], report["num_moments"]
    parts = [
        f"{name} "
        + "/".join(
            f"{entry[v][metric]['value']:.3f}" if counts[v] else "—" for v in entry
        )
        for name, entry in report["systems"].items()
    ]
    return f"{metric} all/new: " + ", ".join(parts)


def make_views(test_set: TestSet) -> list[View]:
    """`all` items, and `new`: those that the user did not have, where relevant."""
    fresh = test_set.new_truth
    has_new = fresh.sizes > 0
    return [
        View("all", np.arange(test_set.num_moments), test_set.truth),
        View("new", np.flatnonzero(has_new), fresh.select(has_new)),
    ]


def baseline_pages(
    test_set: TestSet, shop: ShopConfig, views: list[View], config: EvaluationConfig
) -> dict[str, Pages]:
    """Baseline name → pages of every view."""
    counts = baselines.interactions(test_set, shop)
    scorers = {
        POPULARITY: baselines.popularity_scorer(counts),
        USER_FREQUENCY: baselines.user_frequency_scorer(counts),
        ITEM_KNN: baselines.item_knn_scorer(counts, config.knn_neighbours),
    }
    return {
        name: scorer_pages(scorer, test_set, views, config.page_length)
        for name, scorer in scorers.items()
    }


def scorer_pages(
    scorer: baselines.Scorer, test_set: TestSet, views: list[View], k: int
) -> Pages:
    """Pages of one baseline for every view."""
    everything, new = views
    owned = owned_matrix(selected(test_set.owned, new))
    size = batch_size(baselines.USERS_AT_ONCE, test_set.num_items)
    users = test_set.users
    return {
        everything.name: baselines.pages(scorer, users, k, batch_size=size),
        new.name: baselines.pages(scorer, users[new.numbers], k, owned, size),
    }


def owned_matrix(owned: Truth) -> sp.csr_matrix:
    """[M, n] float32, 1 where the moment's user has the item."""
    ones = np.ones(len(owned.rows), np.float32)
    shape = (owned.num_moments, owned.num_items)
    return sp.csr_matrix((ones, (owned.moments, owned.rows)), shape)


def summarize(
    systems: dict[str, Pages],
    test_set: TestSet,
    shop: ShopConfig,
    views: list[View],
    config: EvaluationConfig,
) -> dict[str, Any]:
    """Metrics of all systems, overall, by slice, and against the bundle."""
    buyers = baselines.buyers(baselines.interactions(test_set, shop))
    facts = CatalogueFacts(buyers, content_vectors(test_set.items))
    labels = slice_labels(test_set, shop, config)
    report: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "cutoff": test_set.cutoff,
        "target_event": shop.target_event,
        "num_items": test_set.num_items,
        "num_moments": {view.name: len(view.numbers) for view in views},
        "k_values": list(config.k_values),
        "primary_metric": config.primary_metric,
        "confidence": config.confidence,
        "systems": {name: {} for name in systems},
        "differences": {name: {} for name in systems if name != BUNDLE},
        "slices": [],
    }
    for view in views:
        values: dict[str, Values] = {}
        for name, pages in systems.items():
            values[name] = values_of(pages[view.name], view, config.k_values)
            report["systems"][name][view.name] = {
                **with_intervals(values[name], config),
                **catalogue_metrics(pages[view.name], facts, config.primary_k),
            }
        for name, entry in differences(values, BUNDLE, config).items():
            report["differences"][name][view.name] = entry
        report["slices"] += sliced(labels, view, values, config)
    return report


def _probabilities(
    client: BundleClient, test_set: TestSet, shop: ShopConfig, length: int
) -> dict[str, Any]:
    """AUC and calibration of the target's probability on the places of whole pages.

    Of anybody who came back within the horizon, as in training: among those alone who
    bought something every honest probability would be too small.
    """
    candidates, _, _ = client.recommend(test_set.anybody, length)
    hits = hit_matrix(candidates, test_set.anybody_truth)
    predicted = client.rank(
        test_set.anybody, candidates, signatures.probability(shop.target_event)
    )
    shown = candidates >= 0
    labels, probabilities = hits[shown], predicted[shown]
    return {
        "pages": len(candidates),
        "rows": int(shown.sum()),
        "positives": int(labels.sum()),
        "auc": area_under_curve(labels, probabilities),
        "calibration_error": calibration_error(labels, probabilities),
        "mean_probability": float(probabilities.mean()) if shown.any() else 0.0,
        "share_of_positives": float(labels.mean()) if shown.any() else 0.0,
        "bins": _reliability(labels, probabilities),
    }


def _reliability(labels: Any, probabilities: Any, num_bins: int = 10) -> list[Any]:
    """[mean probability, share of positives, rows] per bin of equally many rows."""
    bins = quantile_bins(probabilities, num_bins)
    return [
        [float(probabilities[b].mean()), float(labels[b].mean()), int(b.sum())]
        for b in (bins == number for number in np.unique(bins))
    ]
