"""Baselines that any recommender must beat, fitted on the events before the cut-off."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from components.evaluate_funnel.test_set import IntArray, TestSet
from core.config import ShopConfig

USERS_AT_ONCE = 512  # of a small catalogue

Scores = npt.NDArray[np.float32]
# Dense scores [B, n] of the users with the given codes [B]; -1 is an unknown user.
Scorer = Callable[[IntArray], Scores]


def interactions(
    test_set: TestSet, shop: ShopConfig, weights: Mapping[str, float] | None = None
) -> sp.csr_matrix:
    """[num_users, n] float32: times (distinct seconds) a user had a target event.

    With `weights`, of events by type: the weights of all such times added up.
    """
    weights = weights or {shop.target_event: 1.0}
    past = test_set.past
    told = past[past["event"].isin(list(weights))]
    visits = told.drop_duplicates(["user", "row", "timestamp", "event"])
    num_users = int(past["user"].max()) + 1 if len(past) else 0
    worth = visits["event"].map(weights).to_numpy(np.float32)
    matrix = sp.csr_matrix(
        (worth, (visits["user"], visits["row"])), (num_users, test_set.num_items)
    )
    matrix.sum_duplicates()
    return matrix


def popularity_scorer(counts: sp.csr_matrix) -> Scorer:
    """Scores every item by how many users bought it."""
    popular = buyers(counts)
    return lambda users: np.broadcast_to(popular, (len(users), len(popular))).copy()


def user_frequency_scorer(counts: sp.csr_matrix) -> Scorer:
    """Scores the user's own items by how often, then all others by popularity."""
    popular = buyers(counts)
    fill = popular / (popular.max(initial=0.0) + 1.0)  # < 1, one purchase
    return lambda users: rows_of(counts, users).toarray() + fill


def item_knn_scorer(
    counts: sp.csr_matrix, num_neighbours: int, *, k1: float = 1.2, b: float = 0.75
) -> Scorer:
    """Item-kNN: BM25-weighted co-occurrence, the nearest neighbours of each item."""
    similar = nearest(bm25_weights(counts, k1=k1, b=b), num_neighbours)
    popular = buyers(counts)
    fill = 1e-6 * popular / (popular.max(initial=0.0) + 1.0)
    return lambda users: (rows_of(counts, users) @ similar).toarray() + fill


def buyers(counts: sp.csr_matrix) -> Scores:
    """[n] float32: distinct users that bought each item."""
    number: Scores = np.asarray(counts.getnnz(axis=0), np.float32)
    return number


def bm25_weights(counts: sp.csr_matrix, *, k1: float, b: float) -> sp.csr_matrix:
    """[num_users, n] BM25 weights, an item being the document, a user the term."""
    weighted = counts.T.tocsr().astype(np.float32)  # [n, num_users]
    lengths = np.asarray(weighted.sum(axis=1)).ravel()
    mean_length = max(float(lengths.mean()), 1e-9) if len(lengths) else 1.0
    users_in = np.bincount(weighted.indices, minlength=weighted.shape[1])
    idf = np.log(weighted.shape[0]) - np.log1p(users_in)
    norm = (1.0 - b) + b * lengths / mean_length
    per_value = np.repeat(norm, np.diff(weighted.indptr))
    tf = weighted.data
    weighted.data = tf * (k1 + 1.0) / (k1 * per_value + tf) * idf[weighted.indices]
    return weighted.T.tocsr()


def nearest(weights: sp.csr_matrix, num_neighbours: int) -> sp.csr_matrix:
    """[n, n] similarities `weights.T @ weights`, the largest of each row kept."""
    columns = weights.T.tocsr()
    blocks = []
    for start in range(0, columns.shape[0], 512):
        block = (columns[start : start + 512] @ weights).tocsr()
        for begin, end in zip(block.indptr[:-1], block.indptr[1:], strict=True):
            if end - begin > num_neighbours:
                values = block.data[begin:end]
                worst = np.argpartition(-values, num_neighbours - 1)[num_neighbours:]
                values[worst] = 0.0
        block.eliminate_zeros()
        blocks.append(block)
    return sp.vstack(blocks).tocsr()


def rows_of(matrix: sp.csr_matrix, users: IntArray) -> sp.csr_matrix:
    """[B, n] rows of the users; an unknown user (-1) gets an empty row."""
    places = np.flatnonzero(users >= 0)
    ones = np.ones(len(places), np.float32)
    shape = (len(users), matrix.shape[0])
    choice = sp.csr_matrix((ones, (places, users[places])), shape)
    return (choice @ matrix).tocsr()


def pages(
    scorer: Scorer,
    users: IntArray,
    length: int,
    excluded: sp.csr_matrix | None = None,
    batch_size: int = USERS_AT_ONCE,
) -> IntArray:
    """[M, length] best rows of each user, ties by catalogue order.

    Args:
      scorer: dense scores of a batch of users.
      users: [M] user codes.
      length: places; -1 fills a page when the catalogue is shorter.
      excluded: [M, n], non-zero where an item must not be shown.
      batch_size: users scored at once.
    """
    result = []
    for start in range(0, len(users), batch_size):
        scores = scorer(users[start : start + batch_size])
        if excluded is not None:
            owned = excluded[start : start + batch_size].tocoo()
            scores[owned.row, owned.col] = -np.inf
        result.append(top_rows(scores, length))
    empty = np.empty((0, length), np.int64)
    return np.concatenate(result) if result else empty


def top_rows(scores: Scores, length: int) -> IntArray:
    """[B, length] columns of the largest scores, best first; -inf gives -1."""
    keep = min(length, scores.shape[1])
    at = np.argpartition(-scores, keep - 1, axis=1)[:, keep - 1 : keep]
    last = np.take_along_axis(scores, at, axis=1)
    above, equal = scores > last, scores == last
    # Of those that are as good as the last place the first of the catalogue.
    left = keep - above.sum(axis=1, keepdims=True)
    best = np.nonzero(above | (equal & (equal.cumsum(axis=1) <= left)))[1]
    best = best.reshape(len(scores), keep)
    values = np.take_along_axis(scores, best, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    values = np.take_along_axis(values, order, axis=1)
    best = np.where(np.isfinite(values), best, -1)
    padded = np.pad(best, ((0, 0), (0, length - keep)), constant_values=-1)
    return padded.astype(np.int64)
