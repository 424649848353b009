"""Candidates of test moments: what was bought, and as many others as asked for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from components.evaluate_funnel.test_set import IntArray, TestSet

_POPULARITY_POWER = 0.75  # flattens popularity, as in word2vec's negative sampling


def sample_candidates(
    test_set: TestSet, *, negatives: int, max_rows: int, seed: int
) -> tuple[IntArray, IntArray, npt.NDArray[np.float32]]:
    """Moment numbers [R], catalogue rows [R] and labels [R], moment by moment.

    Every relevant item of a moment is a positive (at most `negatives` of them), and
    `negatives` distinct other items, drawn by how often users bought them, are
    negatives. Moments are drawn until `max_rows` are reached, so R <= max_rows.
    """
    generator = np.random.default_rng(seed)
    past = test_set.past.drop_duplicates(["user", "row"])
    buyers = np.bincount(past["row"], minlength=test_set.num_items)
    weights = (buyers + 1.0) ** _POPULARITY_POWER
    weights /= weights.sum()
    bounds = np.searchsorted(
        test_set.truth.moments, np.arange(test_set.num_moments + 1)
    )
    moments: list[IntArray] = []
    rows: list[IntArray] = []
    labels: list[npt.NDArray[np.float32]] = []
    total = 0
    for moment in generator.permutation(test_set.num_moments):
        relevant = test_set.truth.rows[bounds[moment] : bounds[moment + 1]]
        positive = generator.permutation(relevant)[:negatives]
        drawn = generator.choice(len(weights), 2 * negatives + 8, p=weights)
        others = np.setdiff1d(drawn, relevant)
        others = generator.permutation(others)[:negatives]
        size = len(positive) + len(others)
        if total + size > max_rows:
            break
        total += size
        moments.append(np.full(size, moment, np.int64))
        rows.append(np.concatenate([positive, others]).astype(np.int64))
        labels.append(np.repeat([1.0, 0.0], [len(positive), len(others)]))
    if not moments:
        nothing = np.empty(0, np.int64)
        return nothing, nothing, np.empty(0, np.float32)
    order = np.argsort(np.array([m[0] for m in moments]), kind="stable")
    return (
        np.concatenate([moments[i] for i in order]),
        np.concatenate([rows[i] for i in order]),
        np.concatenate([labels[i] for i in order]).astype(np.float32),
    )
