"""Spherical k-means in two levels, and cells of a fixed size from it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

_ROUNDS = 8
_SAMPLE_PER_CLUSTER = 64
_BLOCK = 65536


def k_means(
    vectors: FloatArray, num_clusters: int, rng: np.random.Generator
) -> tuple[FloatArray, IntArray]:
    """Directions [c, d] of norm 1 and the nearest one of each vector [n].

    Fits to a sample. A direction that nothing is nearest to is drawn anew.

    Args:
      vectors: [n, d], any norm.
      num_clusters: at most n are made.
    """
    n = len(vectors)
    count = min(max(num_clusters, 1), n)
    size = min(n, count * _SAMPLE_PER_CLUSTER)
    sample = vectors[rng.choice(n, size=size, replace=False)] if size < n else vectors
    centres = _unit(sample[rng.choice(len(sample), size=count, replace=False)])
    for _ in range(_ROUNDS):
        nearest = assign(sample, centres)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, sample)
        empty = np.bincount(nearest, minlength=count) == 0
        sums[empty] = sample[rng.choice(len(sample), size=int(empty.sum()))]
        centres = _unit(sums)
    return centres, assign(vectors, centres)


def assign(vectors: FloatArray, centres: FloatArray) -> IntArray:
    """[n] int64: the centre with the largest inner product."""
    found = np.empty(len(vectors), np.int64)
    for start in range(0, len(vectors), _BLOCK):
        part = slice(start, start + _BLOCK)
        found[part] = (vectors[part] @ centres.T).argmax(axis=1)
    return found


def cells(
    vectors: FloatArray, cell_size: int, rng: np.random.Generator
) -> list[IntArray]:
    """Rows of near vectors, at most `cell_size` a cell; each row in one cell.

    First about the root of the number of cells, then each of those on its own, so that
    a million vectors take seconds; a cell that is too large is cut along its longest
    axis.
    """
    target = max(cell_size * 3 // 4, 1)  # cells differ in size: leave them room
    coarse = math.isqrt(math.ceil(len(vectors) / target)) + 1
    _, outer = k_means(vectors, coarse, rng)
    found = []
    for rows in _groups(outer):
        _, inner = k_means(vectors[rows], math.ceil(len(rows) / target), rng)
        for group in _groups(inner):
            found += _cut(vectors, rows[group], cell_size)
    return found


def _groups(labels: IntArray) -> list[IntArray]:
    """Places of each label that there is."""
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    return [part for part in np.split(order, starts[1:]) if len(part)]


def _cut(vectors: FloatArray, rows: IntArray, size: int) -> list[IntArray]:
    if len(rows) <= size:
        return [rows]
    centred = vectors[rows] - vectors[rows].mean(axis=0)
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    order = rows[np.argsort(centred @ axis, kind="stable")]
    return np.array_split(order, math.ceil(len(rows) / size))


def _unit(vectors: FloatArray) -> FloatArray:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), np.float32)
