"""NDCG by hand."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.trainer.ranker.worlds import world
from trainer.ranker import metrics


def test_ndcg_counts_truth_that_was_not_retrieved(tmp_path: Path) -> None:
    rows = world(tmp_path, moments=3, rows=4)
    rows = dataclasses.replace(rows, truth_size=np.full((12, 2), 3, np.int32))
    rows.labels[:] = 0
    rows.labels[[0, 2], 1] = 1  # moment 0: rows 0 and 2
    rows.owned[:] = False
    rows.owned[0] = True
    moments = np.array([0, 1])
    scores = np.array([9, 8, 7, 6, 1, 2, 3, 4], np.float32)
    values = metrics.ndcg(rows, moments, scores, event="purchase", top_k=2)
    # page of two holds one hit, first; ideal of min(3, 2) hits = 1 + 1/log2(3)
    ideal = 1 + 1 / np.log2(3)
    np.testing.assert_allclose(values, [1 / ideal, 0.0])
    # row 0 is owned: out of the page and of the truth; row 2 then comes second
    new = metrics.ndcg(rows, moments, scores, new_only=True, event="purchase", top_k=2)
    np.testing.assert_allclose(new, [(1 / np.log2(3)) / ideal, 0.0])


def test_each_event_is_measured_on_its_own_truth(tmp_path: Path) -> None:
    rows = world(tmp_path, moments=2, rows=4)
    # Viewed: rows 0, 1, 2 of moment 0 and row 4 of moment 1; bought: row 1 alone.
    truth = np.array([[3, 1], [1, 0]], np.int32)
    rows = dataclasses.replace(rows, truth_size=truth)
    rows.labels[:] = 0
    rows.labels[[0, 1, 2, 4], 0] = 1
    rows.labels[1, 1] = 1
    moments = np.array([0, 1])
    scores = np.array([9, 8, 7, 6, 4, 3, 2, 1], np.float32)
    views = metrics.ndcg(rows, moments, scores, event="view", top_k=4)
    np.testing.assert_allclose(views, [1.0, 1.0])  # nothing better than all on top
    bought = metrics.ndcg(rows, moments, scores, event="purchase", top_k=4)
    np.testing.assert_allclose(bought, [1 / np.log2(3), np.nan])


def test_moments_with_nothing_to_find_do_not_count() -> None:
    assert metrics.mean(np.array([0.5, np.nan, 1.0])) == pytest.approx(0.75)
    assert metrics.mean(np.array([np.nan])) == 0.0
