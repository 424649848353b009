"""Which items stand for a large catalogue in a softmax over it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainer.funnel.candidates import LOWEST

IntArray = npt.NDArray[np.integer]


def draw_items(
    likely: IntArray, labels: npt.NDArray[np.float32], rng: np.random.Generator
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Rows that a softmax is estimated from, and the log of how many each stands for.

    All likely items and all targets stand for themselves; as many random others stand
    for the rest, so that the sum over the rows is, in expectation, that over the
    catalogue (importance sampling: Bengio & Senécal 2008).

    Args:
      likely: [B, M] int32 catalogue rows; n pads.
      labels: [B, n + 1], > 0 for each target.

    Returns:
      [B, W] int32 distinct rows, n pads; [B, W] float32, LOWEST for pads.
    """
    size, n = len(likely), labels.shape[1] - 1
    found = [np.flatnonzero(row[:n] > 0) for row in labels]
    targets = np.full((size, max(map(len, found), default=0)), n)
    for row, items in zip(targets, found, strict=True):
        row[: len(items)] = items
    others = rng.integers(0, n, likely.shape)
    rows = np.concatenate([likely, targets, others], axis=1).astype(np.int32)
    rows[_repeated(rows)] = n
    known = likely.shape[1] + targets.shape[1]
    drawn = rows[:, known:] < n
    rest = n - (rows[:, :known] < n).sum(axis=1)
    stands_for = np.maximum(rest, 1) / np.maximum(drawn.sum(axis=1), 1)
    offsets = np.zeros(rows.shape, np.float32)
    offsets[:, known:] = np.log(stands_for)[:, None]
    return rows, np.where(rows < n, offsets, LOWEST).astype(np.float32)


def _repeated(rows: IntArray) -> npt.NDArray[np.bool_]:
    """[B, W] true where a row of the catalogue stands further left already."""
    order = np.argsort(rows, axis=1, kind="stable")
    ordered = np.take_along_axis(rows, order, axis=1)
    again = np.zeros(rows.shape, bool)
    again[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    found = np.empty_like(again)
    np.put_along_axis(found, order, again, axis=1)
    return found
