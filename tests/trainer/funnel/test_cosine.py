"""Cosine neighbours against dense products."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import sparse

from trainer.funnel.cosine import cosine, cosine_of_near_cells
from trainer.funnel.neighbours import Neighbours


def agrees(found: Neighbours, expected: npt.NDArray[np.float64], count: int) -> None:
    """The best of each row of [n, n], and the rows that they are of."""
    np.fill_diagonal(expected, 0.0)
    n = len(expected)
    best = -np.sort(-expected, axis=1)[:, :count]
    np.testing.assert_allclose(found.scores[:, : best.shape[1]], best, atol=1e-5)
    padded = np.pad(expected, ((0, 0), (0, 1)))
    at = np.take_along_axis(padded, found.rows.astype(np.int64), axis=1)
    np.testing.assert_allclose(at, found.scores, atol=1e-5)
    assert ((found.rows < n) == (found.scores > 0)).all()
    for row in found.rows:
        assert len(set(row[row < n])) == (row < n).sum()


@pytest.mark.parametrize("count", [3, 40])
@pytest.mark.parametrize("pairs", [1, 100, 10**6])
def test_cosine_is_dot_over_norms_and_keeps_the_best(count: int, pairs: int) -> None:
    rng = np.random.default_rng(0)
    dense = (rng.random((40, 12)) < 0.3) * rng.random((40, 12))
    dense[:, 4] = 0.0  # nobody has it
    norms = np.linalg.norm(dense, axis=0)
    expected = dense.T @ dense / (norms[:, None] * norms[None, :] + 2.0)
    matrix = sparse.csr_matrix(dense)
    found = cosine(matrix, count=count, shrinkage=2.0, pairs=pairs)
    assert found.rows.shape == found.scores.shape == (12, count)
    agrees(found, expected, count)


def test_nobody_shares_anything() -> None:
    found = cosine(sparse.identity(3, format="csr"), count=2, shrinkage=0.0)
    assert found.rows.tolist() == [[3, 3]] * 3
    assert not found.scores.any()
    empty = cosine(sparse.csr_matrix((0, 3)), count=2, shrinkage=0.0)
    assert empty.rows.tolist() == [[3, 3]] * 3
    assert cosine(sparse.csr_matrix((3, 0)), count=2, shrinkage=0.0).rows.shape == (
        0,
        2,
    )


def unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(norms, 1e-12)).astype(np.float32)


def test_a_few_cells_hold_everything() -> None:
    rng = np.random.default_rng(1)
    vectors = unit(rng.random((500, 6)) ** 3)
    vectors[7] = 0.0  # an empty title
    found = cosine_of_near_cells(sparse.csr_matrix(vectors), vectors, count=5)
    agrees(found, (vectors @ vectors.T).astype(np.float64), 5)
    assert (found.rows[7] == 500).all()


def test_neighbours_are_found_in_a_part_of_the_rows() -> None:
    """8,000 rows in 400 bundles of 20: the 19 others of a bundle are the nearest."""
    rng = np.random.default_rng(2)
    centres = rng.standard_normal((400, 32))
    bundle = np.repeat(np.arange(400), 20)
    vectors = unit(centres[bundle] + 0.2 * rng.standard_normal((8_000, 32)))
    found = cosine_of_near_cells(sparse.csr_matrix(vectors), vectors, count=19)
    assert (bundle[np.minimum(found.rows, 7_999)] == bundle[:, None]).mean() > 0.99
