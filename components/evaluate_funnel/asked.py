"""Pages of bundles for every view: asked here, or by Beam workers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np

from components.evaluate_funnel.ask_in_beam import (
    AskedBundle,
    ask_bundles,
    gather,
    questions,
)
from components.evaluate_funnel.bundle_client import BundleClient
from components.evaluate_funnel.example_pages import choose_moments, example_pages
from components.evaluate_funnel.measure import View
from components.evaluate_funnel.test_set import IntArray, TestSet
from core.metrics import Truth

BUNDLE = "bundle"  # the system that is measured; others stand beside it

Pages = dict[str, IntArray]  # view name → [V, k] catalogue rows


class Asked:
    """Pages of the bundle, with scores and reasons of the view `all`."""

    def __init__(
        self, pages: Pages, scores: Any, reasons: Any, seconds: float = 0.0
    ) -> None:
        self.pages = pages
        self.seconds = seconds
        self._scores = scores
        self._reasons = reasons

    def examples(self, test_set: TestSet, count: int) -> list[dict[str, Any]]:
        numbers = choose_moments(test_set, count)
        return example_pages(
            test_set, numbers, self.pages["all"], self._scores, self._reasons
        )


def ask_bundle(
    client: BundleClient, test_set: TestSet, views: list[View], k: int
) -> Asked:
    """Pages of every view; `new` excludes what the user owns."""
    everything, new = views
    rows, scores, reasons = client.recommend(test_set.moments, k)
    owned = selected(test_set.owned, new)
    fresh, _, _ = client.recommend(test_set.moments.take(new.numbers), k, owned)
    return Asked({everything.name: rows, new.name: fresh}, scores, reasons)


def ask_in_beam(
    bundles: Mapping[str, AskedBundle],
    test_set: TestSet,
    views: list[View],
    folder: Path,
    pipeline: beam.Pipeline,
) -> dict[str, Asked]:
    """What `ask_bundle` returns, of every bundle, from Beam workers."""
    everything, new = views
    batch_size = bundles[BUNDLE].batch_size
    fresh = test_set.moments.take(new.numbers)
    owned = selected(test_set.owned, new)
    asked = questions(everything.name, test_set.moments, None, batch_size)
    asked += questions(new.name, fresh, owned, batch_size)
    ask_bundles(bundles, asked, str(folder), pipeline)
    found = {}
    for name, bundle in bundles.items():
        parts = [
            gather(str(folder / name), view.name, len(view.numbers), bundle.page_length)
            for view in views
        ]
        pages = {v.name: part.rows for v, part in zip(views, parts, strict=True)}
        seconds = sum(part.seconds for part in parts)
        found[name] = Asked(pages, parts[0].scores, parts[0].reasons, seconds)
    return found


def selected(truth: Truth, view: View) -> Truth:
    """The view's part."""
    chosen = np.zeros(truth.num_moments, bool)
    chosen[view.numbers] = True
    return truth.select(chosen)
