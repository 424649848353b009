"""Item-item tables against formulas written out with dense NumPy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import sparse

from trainer.funnel import neighbours
from trainer.funnel.event_log import EventLog

DAY = 86_400


@pytest.fixture
def matrix() -> sparse.csr_matrix:
    rng = np.random.default_rng(0)
    return sparse.csr_matrix((rng.random((40, 12)) < 0.3).astype(np.float32))


def _log(users: list[int], rows: list[int], days_ago: list[float]) -> EventLog:
    as_of = 1_000 * DAY
    stamps = as_of - (np.asarray(days_ago) * DAY).astype(np.int64)
    return EventLog(
        as_of=as_of,
        num_items=4,
        num_users=max(users) + 1,
        users=np.asarray(users),
        rows=np.asarray(rows),
        kinds=np.zeros(len(users), np.int64),
        timestamps=stamps,
    )


def test_ease_is_the_closed_form_of_its_paper(matrix: sparse.csr_matrix) -> None:
    dense = matrix.toarray().astype(np.float64)
    inverse = np.linalg.inv(dense.T @ dense + 3.0 * np.eye(12))
    expected = np.eye(12) - inverse / np.diag(inverse)[None, :]
    found = neighbours.ease(matrix, 3.0)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert (np.diag(found) == 0).all()


def test_ease_of_items_that_nobody_has_is_zero_and_changes_nothing_else(
    matrix: sparse.csr_matrix,
) -> None:
    dense = matrix.toarray().astype(np.float64)
    dense[:, [0, 4, 11]] = 0.0
    inverse = np.linalg.inv(dense.T @ dense + 3.0 * np.eye(12))
    expected = np.eye(12) - inverse / np.diag(inverse)[None, :]
    found = neighbours.ease(sparse.csr_matrix(dense), 3.0)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_without_an_event_nothing_speaks_for_anything() -> None:
    nothing = sparse.csr_matrix((5, 4))
    assert not neighbours.ease(nothing, 3.0).any()
    assert not neighbours.forecast(nothing, nothing, 3.0).any()


def test_ease_minimizes_the_ridge_loss_column_by_column(
    matrix: sparse.csr_matrix,
) -> None:
    # Column j without its own input is a ridge regression of item j on the others.
    dense = matrix.toarray().astype(np.float64)
    others = [i for i in range(12) if i != 5]
    inputs = dense[:, others]
    ridge = np.linalg.solve(
        inputs.T @ inputs + 2.0 * np.eye(11), inputs.T @ dense[:, 5]
    )
    np.testing.assert_allclose(
        neighbours.ease(matrix, 2.0)[others, 5], ridge, atol=1e-4
    )


@pytest.mark.parametrize("num_items", [6, 40])  # fewer and more than users
def test_forecast_is_ridge_regression_of_active_users(num_items: int) -> None:
    rng = np.random.default_rng(1)
    before = (rng.random((30, num_items)) < 0.4).astype(np.float64)
    after = (rng.random((30, num_items)) < 0.3).astype(np.float64)
    after[:5] = 0.0  # bought nothing in the period: they say nothing of what is next
    x, y = before[5:], after[5:]
    keep = (x.sum(1) > 0) & (y.sum(1) > 0)
    x, y = x[keep], y[keep]
    expected = np.linalg.solve(x.T @ x + 4.0 * np.eye(num_items), x.T @ y)
    found = neighbours.forecast(
        sparse.csr_matrix(before), sparse.csr_matrix(after), 4.0
    )
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_top_of_rows_pads_beyond_the_catalogue() -> None:
    found = neighbours.top_of_rows(np.array([[0.0, 2.0], [-1.0, 0.0]], np.float32), 3)
    assert found.rows.tolist() == [[1, 2, 2], [2, 2, 2]]
    assert found.scores.tolist() == [[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]]


def test_user_item_matrix_keeps_the_strongest_weight_of_a_pair() -> None:
    log = _log([0, 0, 1], [2, 2, 3], [1, 2, 3])
    found = neighbours.user_item_matrix(log, np.array([0.5, 0.9, 0.2]))
    assert found.toarray() == pytest.approx(np.array([[0, 0, 0.9, 0], [0, 0, 0, 0.2]]))
    ones = neighbours.user_item_matrix(log).toarray()
    assert ones.tolist() == [[0, 0, 1, 0], [0, 0, 0, 1]]


def test_visits_give_decayed_pairs() -> None:
    # Items 0 and 1 together 9 days ago; item 2 a day later, another visit.
    log = _log([0, 0, 0], [0, 1, 2], [9.0, 9.0, 8.0])
    visits = neighbours.visit_item_matrix(
        log, visit_s=DAY, decay_days=10.0, max_items=10
    )
    pairs: npt.NDArray[np.float32] = (visits.T @ visits).toarray()
    assert pairs[0, 1] == pytest.approx(np.exp(-0.9), rel=1e-5)
    assert pairs[0, 2] == 0.0 and pairs[2, 2] == pytest.approx(np.exp(-0.8), rel=1e-5)


def test_long_visits_are_cut() -> None:
    log = _log([0, 0, 0], [0, 1, 2], [1.0, 1.0, 1.0])
    visits = neighbours.visit_item_matrix(log, visit_s=DAY, decay_days=1, max_items=2)
    assert visits.getnnz() == 2


def test_item_factors_of_full_rank_rebuild_the_scaled_matrix(
    matrix: sparse.csr_matrix,
) -> None:
    # At full rank V V' = I, so in @ out' restricted to one item gives 1 for itself.
    into, out = neighbours.item_factors(matrix, 12)
    np.testing.assert_allclose(into @ out.T, np.eye(12), atol=1e-3)


def test_pads_are_not_stored() -> None:
    rows = np.array([[2, 1, 3, 3], [3, 3, 3, 3], [0, 3, 3, 3]], np.int32)
    scores = np.array([[0.5, 0.25, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]], np.float32)
    table = neighbours.Neighbours(rows=rows, scores=scores)
    packed = table.packed()
    assert packed["rows"].tolist() == [2, 1, 0]
    assert packed["scores"].tolist() == [0.5, 0.25, 1.0]
    again = neighbours.Neighbours.unpacked(packed)
    np.testing.assert_array_equal(again.rows, rows)
    np.testing.assert_array_equal(again.scores, scores)
    assert (again.rows.dtype, again.scores.dtype) == (np.int32, np.float32)
