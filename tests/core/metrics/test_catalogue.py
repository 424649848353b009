from __future__ import annotations

import numpy as np
import pytest

from core.metrics import (
    catalogue_coverage,
    exposure_gini,
    intra_list_diversity,
    mean_popularity,
    novelty,
)

PAGES = np.array([[0, 1], [0, -1], [0, 4]])  # -1 and 4 are empty places (n = 4)


def test_coverage_counts_items_once_and_no_empty_places():
    assert catalogue_coverage(PAGES, 4) == 0.5


def test_novelty_is_mean_self_information():
    # smoothed counts 4 2 1 1 of 8: items 0, 1 carry 1 and 2 bits; shown 0 1 0 0.
    assert novelty(PAGES, np.array([3, 1, 0, 0])) == pytest.approx((1 + 2 + 1 + 1) / 4)


def test_popularity_is_the_mean_count_of_what_is_shown():
    assert mean_popularity(PAGES, np.array([10, 2, 0, 0])) == pytest.approx(32 / 4)


def test_gini_is_zero_for_equal_and_one_for_a_single_item():
    assert exposure_gini(np.array([[0, 1], [2, 3]]), 4) == pytest.approx(0.0)
    assert exposure_gini(np.array([[2], [2]]), 4) == pytest.approx(1.0)


def test_gini_of_a_known_distribution():
    # exposures 1, 3 over two items: |1-3| / (2 * mean 2) * n/(n-1) / ... = 0.5
    assert exposure_gini(np.array([[0], [1], [1], [1]]), 2) == pytest.approx(0.5)


def test_diversity_of_identical_and_orthogonal_items():
    vectors = np.array([[1.0, 0], [1.0, 0], [0, 1.0]])
    assert intra_list_diversity(np.array([[0, 1]]), vectors) == pytest.approx(0.0)
    assert intra_list_diversity(np.array([[0, 2]]), vectors) == pytest.approx(1.0)
    # pairs (0,1): 0, (0,2): 1, (1,2): 1
    assert intra_list_diversity(np.array([[0, 1, 2]]), vectors) == pytest.approx(2 / 3)
    assert intra_list_diversity(np.array([[0, 2, -1], [1, -1, -1]]), vectors) == 1.0


def test_diversity_of_signed_vectors_whatever_the_batch():
    vectors = np.array([[1.0, 0], [0.6, -0.8], [-1.0, 0]])
    # cosines (0,1): .6, (0,2): -1, (1,2): -.6
    pages = np.array([[0, 1], [0, 2], [1, 2]])
    for batch_size in (1, 2, 3):
        found = intra_list_diversity(pages, vectors, batch_size=batch_size)
        assert found == pytest.approx((0.4 + 2.0 + 1.6) / 3)


def test_empty_pages():
    empty = np.full((2, 3), -1)
    assert catalogue_coverage(empty, 4) == 0.0
    assert exposure_gini(empty, 4) == 0.0
    assert novelty(empty, np.ones(4, int)) == 0.0
    assert intra_list_diversity(empty, np.eye(4)) == 0.0
