"""Item-item scores: EASE, ridge forecasts, factors; what pairs are counted from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg
from scipy import sparse

from trainer.funnel.event_log import EventLog

FloatArray = npt.NDArray[np.float32]

_TINY = float(np.finfo(np.float32).tiny)


@dataclasses.dataclass(frozen=True)
class Neighbours:
    """For each item the items that it speaks for, best first."""

    rows: npt.NDArray[np.int32]  # [n, N]; n pads, behind the others
    scores: FloatArray  # [n, N] float32; 0 pads

    @classmethod
    def none(cls, num_items: int, count: int) -> Neighbours:
        """Pads alone, to be filled by `keep_best`."""
        shape = (num_items, count)
        return cls(
            rows=np.full(shape, num_items, np.int32), scores=np.zeros(shape, np.float32)
        )

    def keep_best(
        self, i: int, others: npt.NDArray[np.integer[Any]], scores: FloatArray
    ) -> None:
        """Fills row i: the highest scores above 0, of equal ones the lower row first.

        Args:
          others: [k] rows, any order.
          scores: [k] of them.
        """
        count = self.rows.shape[1]
        least = _TINY
        if len(scores) > count:
            # Of the values alone: half the time of finding their places.
            least = max(least, np.partition(scores, -count)[-count])
        kept = scores >= least
        others, scores = others[kept], scores[kept]
        order = np.lexsort((others, -scores))[:count]
        self.rows[i, : len(order)] = others[order]
        self.scores[i, : len(order)] = scores[order]

    def packed(self) -> dict[str, npt.NDArray[np.generic]]:
        """Arrays without the pads: of a large catalogue most places are."""
        real = self.rows < len(self.rows)
        return {
            "size": np.asarray(self.rows.shape[1]),
            "lengths": real.sum(axis=1, dtype=np.int32),
            "rows": self.rows[real],
            "scores": self.scores[real],
        }

    @classmethod
    def unpacked(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Neighbours:
        """What `packed` was made of."""
        lengths, size = arrays["lengths"], int(arrays["size"])
        real = np.arange(size) < lengths[:, None]
        rows = np.full(real.shape, len(lengths), np.int32)
        scores = np.zeros(real.shape, np.float32)
        rows[real], scores[real] = arrays["rows"], arrays["scores"]
        return cls(rows=rows, scores=scores)


def user_item_matrix(
    log: EventLog, weights: npt.NDArray[np.float64] | None = None
) -> sparse.csr_matrix:
    """[num_users, n] strongest weight per pair; 1 for every pair without `weights`."""
    shape = (log.num_users, log.num_items)
    if weights is None:
        ones = np.ones(len(log.rows), np.float32)
        matrix = sparse.csr_matrix((ones, (log.users, log.rows)), shape=shape)
        matrix.data[:] = 1.0
        return matrix
    order = np.lexsort((weights, log.rows, log.users))
    users, rows = log.users[order], log.rows[order]
    last = np.append((users[1:] != users[:-1]) | (rows[1:] != rows[:-1]), True)
    if not len(rows):
        last = last[:0]
    values = weights[order][last].astype(np.float32)
    return sparse.csr_matrix((values, (users[last], rows[last])), shape=shape)


def ease(matrix: sparse.csr_matrix, l2: float) -> FloatArray:
    """[n, n] float32 weights B of EASE (Steck 2019), zero diagonal: scores = X B.

    B = I - P / diag(P) with P = (X'X + l2 I)^-1. An item that nobody has is apart from
    all others in X'X, so its row and column of B are 0 and the rest is solved alone.
    """
    n = matrix.shape[1]
    columns = matrix.tocsc()
    active = np.flatnonzero(np.diff(columns.indptr))
    if not len(active):
        return np.zeros((n, n), np.float32)
    inverse = _symmetric_inverse(_regularized_gram(columns[:, active], l2))
    inverse /= -np.diag(inverse)[None, :].copy()
    np.fill_diagonal(inverse, 0.0)
    if len(active) == n:
        return inverse
    weights = np.zeros((n, n), np.float32)
    weights[np.ix_(active, active)] = inverse
    return weights


def forecast(
    before: sparse.csr_matrix, after: sparse.csr_matrix, l2: float
) -> FloatArray:
    """[n, n] float32 ridge weights W = (X'X + l2 I)^-1 X'Y: what X's buyers buy next.

    Solved over users instead, W = X' (XX' + l2 I)^-1 Y, where they are the fewer.

    Args:
      before: X [m, n], what each user had bought before a date.
      after: Y [m, n], what the same users bought in the period after it.
    """
    active = np.flatnonzero((np.diff(before.indptr) > 0) & (np.diff(after.indptr) > 0))
    if not len(active):
        return np.zeros((before.shape[1],) * 2, np.float32)
    before, after = before[active], after[active]
    by_user = len(active) < before.shape[1]
    gram = _regularized_gram(before.T.tocsc() if by_user else before, l2)
    cross = (after if by_user else before.T @ after).toarray().astype(np.float32)
    factor = scipy.linalg.cho_factor(gram, lower=True, overwrite_a=True)
    solved = scipy.linalg.cho_solve(factor, cross, overwrite_b=True)
    weights = before.T @ solved if by_user else solved
    return np.ascontiguousarray(weights, dtype=np.float32)


def _regularized_gram(matrix: sparse.spmatrix, l2: float) -> FloatArray:
    """[n, n] float32 X'X + l2 I of X [m, n]."""
    gram = np.asarray((matrix.T @ matrix).toarray(), np.float32)
    gram[np.diag_indices_from(gram)] += l2
    return gram


def _symmetric_inverse(matrix: FloatArray) -> FloatArray:
    """The inverse of a symmetric positive definite matrix [n, n], which is overwritten.

    Raises:
      LinAlgError: the matrix is not positive definite.
    """
    factor, low = scipy.linalg.cho_factor(matrix, lower=True, overwrite_a=True)
    inverse, info = scipy.linalg.lapack.spotri(factor, lower=int(low))
    if info != 0:
        raise np.linalg.LinAlgError(f"spotri failed with {info}.")
    _mirror(inverse)  # above the diagonal stands what the factor left
    return np.asarray(inverse, np.float32)


def _mirror(matrix: npt.NDArray[np.floating], block: int = 512) -> None:
    """Copies what stands below the diagonal of [n, n] above it, block by block."""
    for start in range(0, len(matrix), block):
        stop = start + block
        matrix[start:stop, stop:] = matrix[stop:, start:stop].T
        corner = np.tril(matrix[start:stop, start:stop])
        matrix[start:stop, start:stop] = corner + np.tril(corner, -1).T


def item_factors(matrix: sparse.csr_matrix, rank: int) -> tuple[FloatArray, FloatArray]:
    """[n, rank] in and out factors: scores = (sum of the history's in) @ out'.

    Truncated SVD of the matrix with rows and columns divided by the square roots of
    their norms, so that neither heavy buyers nor best-sellers rule the space.
    """
    row_norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    column_norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel())
    by_row = sparse.diags(np.maximum(row_norms, 1e-6) ** -0.5)
    by_column = np.where(column_norms > 0, column_norms, 1.0) ** 0.5
    scaled = (by_row @ matrix @ sparse.diags(1.0 / by_column)).astype(np.float32)
    vectors = principal_directions(scaled, rank)
    known = (column_norms > 0)[:, None]
    into, out = vectors / by_column[:, None], vectors * by_column[:, None]
    return (into * known).astype(np.float32), (out * known).astype(np.float32)


def principal_directions(
    matrix: sparse.csr_matrix, rank: int, seed: int = 0
) -> FloatArray:
    """[n, rank] right singular vectors of [m, n], by a randomized SVD; 0 beyond them.

    Halko, Martinsson & Tropp 2011: random projection, four power iterations, QR.
    """
    m, n = matrix.shape
    kept = min(rank, m, n)
    draw = np.random.default_rng(seed).standard_normal((m, min(kept + 16, m, n)))
    basis = np.linalg.qr(matrix.T @ draw.astype(np.float32))[0]
    for _ in range(4):
        basis = np.linalg.qr(matrix.T @ (matrix @ basis))[0]
    right = np.linalg.svd(matrix @ basis, full_matrices=False)[2]
    vectors = basis @ right.T[:, :kept]
    return np.pad(vectors, ((0, 0), (0, rank - kept))).astype(np.float32)


def top_of_rows(block: FloatArray, count: int) -> Neighbours:
    """The `count` largest positive entries of each row of [n, n], best first."""
    n = block.shape[1]
    found = Neighbours.none(n, count)
    everything = np.arange(n)
    for i, row in enumerate(block):
        found.keep_best(i, everything, row)
    return found


def visit_item_matrix(
    log: EventLog, *, visit_s: int, decay_days: float, max_items: int
) -> sparse.csr_matrix:
    """[visits, n]: sqrt(exp(-age / decay)) where the visit holds the item.

    The product of two entries is then the decayed weight of the pair. Of a visit with
    more than `max_items` distinct items the first rows are kept.
    """
    visits = log.visits(visit_s)
    num_visits = int(visits.max(initial=-1)) + 1
    pairs = np.unique(visits * log.num_items + log.rows)
    visit_of, rows = pairs // log.num_items, pairs % log.num_items
    starts = np.searchsorted(visit_of, np.arange(num_visits))
    keep = np.arange(len(pairs)) - starts[visit_of] < max_items
    visit_of, rows = visit_of[keep], rows[keep]
    ages = np.full(num_visits, np.inf)
    np.minimum.at(ages, visits, log.ages)
    weights = np.sqrt(np.exp(-ages / decay_days))[visit_of].astype(np.float32)
    return sparse.csr_matrix(
        (weights, (visit_of, rows)), shape=(num_visits, log.num_items)
    )
