"""Recall of whole-catalogue retrieval, computed apart from the training step."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from trainer.retriever.model import TwoTower
from trainer.retriever.moments import MomentArrays

_BATCH_SIZE = 512


def recall(top_rows: np.ndarray, moments: MomentArrays) -> float:
    """Mean over moments of hits / min(targets, k).

    Args:
      top_rows: [m, k] int32 catalogue rows, best first.
      moments: m moments with their distinct targets.

    Returns:
      0 .. 1; 0 for no moments.
    """
    m, k = top_rows.shape
    if m == 0:
        return 0.0
    counts = np.diff(moments.target_offsets)
    moment = np.repeat(np.arange(m), counts)
    found = (top_rows[moment] == moments.target_rows[:, None]).any(1)
    hits = np.bincount(moment, found, minlength=m)
    return float(np.mean(hits / np.minimum(np.maximum(counts, 1), k)))


def popular_rows(moments: MomentArrays, num_items: int, k: int) -> np.ndarray:
    """[k] rows with the most targets, the baseline that a retriever must beat."""
    counts = np.bincount(moments.target_rows, minlength=num_items)[:num_items]
    return np.argsort(-counts, kind="stable")[:k].astype(np.int32)


def query_embeddings(model: TwoTower, moments: MomentArrays) -> np.ndarray:
    """[m, d] float32 query embeddings."""
    vectors, _ = model.item_matrix()
    num_items = vectors.shape[0] - 1
    parts = [np.zeros((0, model.config.embedding_dim), np.float32)]
    for start in range(0, moments.num_moments, _BATCH_SIZE):
        batch = slice(start, start + _BATCH_SIZE)
        rows = moments.history_rows[batch]
        searched = moments.query_rows
        embeddings = model.queries(
            {n: tf.constant(v[batch]) for n, v in moments.persons.items()},
            tf.gather(vectors, rows),
            tf.constant(moments.history_events[batch]),
            tf.constant(moments.history_ages[batch]),
            tf.constant(rows < num_items),
            model.words(None if searched is None else searched[batch]),
        )
        parts.append(embeddings.numpy())
    return np.concatenate(parts)


def retrieve(model: TwoTower, moments: MomentArrays, k: int) -> np.ndarray:
    """[m, min(k, n)] int32 rows of the best candidates, best first."""
    candidates = model.item_matrix()[1][:-1]
    k = min(k, candidates.shape[0])
    queries = query_embeddings(model, moments)
    parts = [np.zeros((0, k), np.int32)]
    for start in range(0, len(queries), _BATCH_SIZE):
        scores = tf.matmul(
            queries[start : start + _BATCH_SIZE], candidates, transpose_b=True
        )
        parts.append(tf.math.top_k(scores, k).indices.numpy())
    return np.concatenate(parts)
