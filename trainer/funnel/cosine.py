"""Cosine neighbours: all pairs that share something, or those of near cells."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import sparse

from trainer.funnel.neighbours import Neighbours
from trainer.retrieval_scale.k_means import cells

FloatArray = npt.NDArray[np.float32]

# Products that are made and kept at a time: 12 bytes each.
_PAIRS = 20_000_000
_CELL = 256
_NEAR_CELLS = 24
# So many times the wanted neighbours are compared by their own terms.
_CLOSER_LOOK = 10


def cosine(
    matrix: sparse.csr_matrix, *, count: int, shrinkage: float, pairs: int = _PAIRS
) -> Neighbours:
    """Top `count` columns per column of [m, n] by dot / (norm * norm + shrinkage).

    Time and memory go with the pairs of columns that share a row, not with n * n.

    Args:
      pairs: about how many such pairs are held at a time.
    """
    columns = matrix.tocsc()
    norms = np.sqrt(np.asarray(columns.multiply(columns).sum(axis=0))).ravel()
    rows = columns.T.tocsr()
    found = Neighbours.none(matrix.shape[1], count)
    shared = rows.astype(bool).astype(np.float64) @ np.diff(matrix.tocsr().indptr)
    for part in _parts(shared, pairs):
        dots = (rows[part] @ columns).tocsr()
        for place, i in enumerate(range(part.start, part.stop)):
            own = slice(dots.indptr[place], dots.indptr[place + 1])
            others = dots.indices[own]
            scale = norms[i] * norms[others] + shrinkage
            scores = dots.data[own] / np.maximum(scale, 1e-12)
            found.keep_best(i, others, np.where(others == i, 0.0, scores))
    return found


def cosine_of_near_cells(
    matrix: sparse.csr_matrix, vectors: FloatArray, *, count: int, seed: int = 0
) -> Neighbours:
    """Top `count` rows per row of [n, V] by cosine, of those whose vectors lie near.

    Vectors are put into cells of at most 256; a row is compared with those of the 24
    cells nearest to its own, by vectors first, then the best of them by `matrix`. Time
    goes with n. Of 100,000 titles this finds 84 % of the best 30 and 94 % of the
    best 10 (docs/funnel.md).

    Args:
      matrix: rows of norm 1, or 0.
      vectors: [n, d] of the same rows, norm 1 or 0.
    """
    n = len(vectors)
    groups = cells(vectors, _CELL, np.random.default_rng(seed))
    centres = np.stack([vectors[group].mean(axis=0) for group in groups])
    norms = np.linalg.norm(centres, axis=1, keepdims=True)
    centres = centres / np.maximum(norms, 1e-12)
    found = Neighbours.none(n, count)
    for group in groups:
        nearest = (vectors[group] @ centres.T).max(axis=0)
        near = np.argsort(-nearest, kind="stable")[:_NEAR_CELLS]
        pool = np.concatenate([groups[cell] for cell in near])
        likely = vectors[group] @ vectors[pool].T
        size = min(_CLOSER_LOOK * count + 1, len(pool))  # and the row itself
        picked = pool[np.argpartition(-likely, size - 1, axis=1)[:, :size]]
        owners = np.repeat(group, size)
        exact = matrix[owners].multiply(matrix[picked.ravel()]).sum(axis=1)
        scores = np.asarray(exact, np.float32).reshape(picked.shape)
        scores[picked == group[:, None]] = 0.0
        for place, i in enumerate(group):
            found.keep_best(int(i), picked[place], scores[place])
    return found


def _parts(work: npt.NDArray[np.float64], limit: int) -> Iterator[slice]:
    """Runs of rows of about `limit` work each."""
    numbers = (np.cumsum(work) // limit).astype(np.int64)
    starts = np.flatnonzero(np.diff(numbers, prepend=-1)).tolist()
    for start, stop in itertools.pairwise([*starts, len(work)]):
        yield slice(start, stop)
