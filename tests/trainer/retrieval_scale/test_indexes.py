"""Against NumPy's exact answer on clustered vectors, saved and loaded again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from core.errors import ConfigError
from serving.inspect.gpus import GPUS
from serving.inspect.inspection import inspect_model
from trainer.retrieval_scale.exact_index import ExactIndex, encode
from trainer.retrieval_scale.k_means import cells, k_means
from trainer.retrieval_scale.partitioned_index import (
    PartitionedIndex,
    build_cells,
    choose_probes,
    exact_rows,
    recall_of,
    recalls_of,
)

DIM, K = 16, 10


def clustered(count: int, seed: int) -> np.ndarray:
    """Unit vectors around 40 centres; the centres do not depend on the seed."""
    centres = np.random.default_rng(0).normal(size=(40, DIM))
    rng = np.random.default_rng(seed)
    vectors = centres[rng.integers(40, size=count)] + 0.6 * rng.normal(
        size=(count, DIM)
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


VECTORS, QUERIES = clustered(4000, 1), clustered(64, 2)


def saved(index: Any, path: Any) -> Any:
    spec = tf.TensorSpec([None, DIM], tf.float32, name="queries")
    module = tf.Module()
    module.index = index

    @tf.function(input_signature=[spec])
    def best(queries: tf.Tensor) -> dict[str, tf.Tensor]:
        scores, rows = index.best(queries, K)
        return {"scores": scores, "rows": rows}

    tf.saved_model.save(module, str(path), signatures={"best": best})
    return tf.saved_model.load(str(path)).signatures["best"]


def test_k_means_finds_clusters_that_are_there() -> None:
    # Four directions at right angles, 50 vectors close to each.
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(4), 50)
    vectors = np.eye(4, dtype=np.float32)[labels]
    vectors += 0.05 * rng.normal(size=vectors.shape).astype(np.float32)
    centres, found = k_means(vectors, 4, rng)
    assert all(len(set(labels[found == c])) <= 1 for c in range(4))
    np.testing.assert_allclose(np.linalg.norm(centres, axis=1), 1, atol=1e-5)


def test_every_vector_is_in_one_cell_and_no_cell_is_too_large() -> None:
    found = cells(VECTORS, 32, np.random.default_rng(0))
    assert sorted(np.concatenate(found).tolist()) == list(range(len(VECTORS)))
    assert max(len(cell) for cell in found) <= 32


def test_equal_vectors_and_a_single_one_make_cells() -> None:
    same = np.ones((100, 4), np.float32)
    found = cells(same, 8, np.random.default_rng(0))
    assert sorted(np.concatenate(found).tolist()) == list(range(100))
    assert max(len(cell) for cell in found) <= 8
    table = build_cells(np.ones((1, 4), np.float32), cell_size=8)
    assert table.rows.tolist() == [[0] + [-1] * 7]


def test_codes_keep_half_a_step() -> None:
    stored = encode(VECTORS)
    error = np.abs(stored.codes * stored.scales[:, None] - VECTORS)
    assert (error <= stored.scales[:, None] * 0.5 + 1e-7).all()


def test_the_exact_index_answers_as_numpy(tmp_path) -> None:
    best = saved(ExactIndex(VECTORS), tmp_path)(queries=tf.constant(QUERIES))
    exact = exact_rows(VECTORS, QUERIES, K)
    assert recall_of(best["rows"].numpy(), exact) > 0.995
    wanted = np.take_along_axis(QUERIES @ VECTORS.T, exact, axis=1)
    np.testing.assert_allclose(best["scores"].numpy(), wanted, atol=2e-3)


def test_the_partitioned_index_reaches_the_recall_it_was_built_for(tmp_path) -> None:
    table = build_cells(VECTORS, cell_size=32)
    tuning, held_out = clustered(256, 5), clustered(256, 6)
    probes, reached = choose_probes(table, VECTORS, tuning, k=K)
    assert reached >= 0.98
    assert probes * 32 < len(VECTORS) / 2  # it looks at a part
    index = PartitionedIndex(table, VECTORS, num_probes=probes)
    best = saved(index, tmp_path)(queries=tf.constant(held_out))
    rows = best["rows"].numpy()
    assert recall_of(rows, exact_rows(VECTORS, held_out, K)) >= 0.98
    assert all(len(set(row)) == K for row in rows.tolist())
    scores = best["scores"].numpy()
    assert (np.diff(scores, axis=1) <= 1e-6).all()
    given = np.einsum("bd,bkd->bk", held_out, VECTORS[rows])
    np.testing.assert_allclose(scores, given, atol=2e-3)
    (report,) = inspect_model(tmp_path, GPUS["l4"]).signatures
    assert report.fallbacks == ()


def test_recall_counts_the_exact_rows_found_whatever_their_order() -> None:
    found, exact = np.array([[0, 1], [2, 3]]), np.array([[1, 0], [2, 9]])
    assert recalls_of(found, exact).tolist() == [1.0, 0.5]
    assert recall_of(found, exact) == 0.75


def test_all_cells_probed_is_the_exact_answer() -> None:
    table = build_cells(VECTORS[:300], cell_size=16)
    index = PartitionedIndex(table, VECTORS[:300], num_probes=10**6)
    rows = index.best(tf.constant(QUERIES), K)[1].numpy()
    assert recall_of(rows, exact_rows(VECTORS[:300], QUERIES, K)) > 0.995


def test_fewer_vectors_than_asked_for_end_in_pads() -> None:
    table = build_cells(VECTORS[:3], cell_size=8)
    index = PartitionedIndex(table, VECTORS[:3], num_probes=4)
    scores, rows = index.best(tf.constant(QUERIES[:2]), 5)
    assert sorted(rows[0].numpy().tolist()) == [-1, -1, 0, 1, 2]
    assert (scores.numpy()[:, 3:] == -1e9).all()


def test_no_vectors_are_refused() -> None:
    with pytest.raises(ConfigError, match="must hold one at least"):
        build_cells(np.zeros((0, 4), np.float32))
