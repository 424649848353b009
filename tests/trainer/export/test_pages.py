import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from trainer.export.catalogue import Catalogue
from trainer.export.pages import best_page, spread_categories


def test_best_first_and_pads_last() -> None:
    rows = tf.constant([[4, 9, 2]])  # 9 = no item
    scores = tf.constant([[0.0, 50.0, 1.0]])
    page = best_page(rows, scores, tf.constant(3), 9)
    assert page.rows.numpy().tolist() == [[2, 4, 9]]
    assert page.places.numpy().tolist() == [[2, 0, 0]]
    # sigmoid(1), sigmoid(0), nothing
    np.testing.assert_allclose(page.scores, [[0.7310586, 0.5, 0.0]], atol=1e-6)


def test_a_page_longer_than_the_candidates_is_padded() -> None:
    page = best_page(tf.constant([[1]]), tf.constant([[2.0]]), tf.constant(3), 5)
    assert page.rows.numpy().tolist() == [[1, 5, 5]]


def test_a_page_shorter_than_the_candidates_has_the_best() -> None:
    rows, scores = tf.constant([[7, 1, 4]]), tf.constant([[0.5, 3.0, 2.0]])
    assert best_page(rows, scores, tf.constant(2), 9).rows.numpy().tolist() == [[1, 4]]


def test_k_is_held_between_zero_and_a_hundred() -> None:
    rows, scores = tf.zeros([1, 300], tf.int32), tf.zeros([1, 300])
    assert best_page(rows, scores, tf.constant(1000), 5).rows.shape == (1, 100)
    assert best_page(rows, scores, tf.constant(-1), 5).rows.shape == (1, 0)


def test_each_better_item_of_the_same_category_costs_one_penalty() -> None:
    items = {"item_id": list("abcd"), "category": ["x", "x", "y", "x"]}
    catalogue = Catalogue(pa.table(items))
    scores = spread_categories(
        tf.constant([[0, 1, 2, 3]]),
        tf.constant([[1.0, 4.0, 2.0, 3.0]]),
        catalogue,
        penalty=0.5,
    )
    # x: b 4 stays, d 3 - .5, a 1 - 1; y: c alone
    assert scores.numpy().tolist() == [[0.0, 4.0, 2.0, 2.5]]


def test_what_is_not_lowered_is_not_shown() -> None:
    """More candidates than are looked at, falling evenly, all of one category."""
    count = 320
    catalogue = Catalogue(
        pa.table({"item_id": [str(n) for n in range(count)], "category": ["x"] * count})
    )
    rows = tf.range(count)[None]
    scores = tf.linspace(3.0, 0.0, count)[None]

    spread = spread_categories(rows, scores, catalogue, penalty=1.0)

    page = best_page(rows, spread, tf.constant(100), pad=count)
    assert page.rows.numpy().tolist() == [list(range(100))]


def test_however_far_an_item_is_lowered_its_score_says_that_it_is_shown() -> None:
    count = 60
    catalogue = Catalogue(
        pa.table({"item_id": [str(n) for n in range(count)], "category": ["x"] * count})
    )
    rows, scores = tf.range(count)[None], tf.linspace(3.0, 0.0, count)[None]
    # The last one at -177, whose sigmoid, 1e-77, is 0 in float32.
    lowered = spread_categories(rows, scores, catalogue, penalty=3.0)
    page = best_page(rows, lowered, tf.constant(100), count)
    assert page.rows.numpy()[0].tolist() == [*range(count), *[count] * 40]
    found = page.scores.numpy()[0]
    assert (found[:count] > 0).all() and (np.diff(found) <= 0).all()
    assert not found[count:].any()


@pytest.mark.parametrize("count", range(1, 20))
def test_equal_scores_never_rise_towards_the_end_of_the_page(count: int) -> None:
    rows, scores = tf.range(count)[None], tf.fill([1, count], 0.4)
    page = best_page(rows, scores, tf.constant(count), count)
    assert (np.diff(page.scores.numpy()[0]) <= 0).all()


def test_items_without_a_category_do_not_count_as_one() -> None:
    catalogue = Catalogue(pa.table({"item_id": ["a", "b"]}))
    scores = tf.constant([[1.0, 2.0]])
    spread = spread_categories(tf.constant([[0, 1]]), scores, catalogue, penalty=9.0)
    assert spread.numpy().tolist() == [[1.0, 2.0]]
