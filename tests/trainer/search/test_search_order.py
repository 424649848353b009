"""What else may move the first stage's order: the towers, and feedback."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from core.config.search import SearchConfig
from tests.trainer.search import funnel_world as world
from trainer.search.search_funnel import SearchFunnel

N = world.N
MANY = world.MANY


@pytest.fixture(scope="module")
def search() -> SearchFunnel:
    return world.search_funnel()


@pytest.fixture(scope="module")
def towers() -> world.FakeTowers:
    return world.FakeTowers(N, len(world.KINDS) + 1)


@pytest.mark.parametrize("shelf", [False, True])
def test_the_towers_add_their_cosine_to_the_order(
    towers: world.FakeTowers, shelf: bool
) -> None:
    search = world.search_funnel(
        SearchConfig(tower_weight=3.0), towers=towers, shelf=shelf
    )
    _, _, state = world.asked(search, ["red mug", "enamel"], history=(0, 7))
    cosine = np.zeros((2, N))
    cosine[0, [0, 7]] = np.sqrt(0.5)  # of the last item -sqrt(1/2): never below 0
    expected = world.dense(state, state.scores) + 3.0 * cosine
    where = world.dense(state, state.matched) > 0
    assert where[0, 0]
    order = world.dense(state, state.order)
    np.testing.assert_allclose(order[where], expected[where], rtol=1e-5)


def test_the_towers_choose_candidates_and_are_no_feature(
    search: SearchFunnel, towers: world.FakeTowers
) -> None:
    config = SearchConfig(tower_weight=9.0, num_candidates=3, named_items=0)
    with_towers = world.search_funnel(config, towers=towers)
    # A red chair and a blue mug of the history, last by the words alone.
    history = (1, 9)
    assert set(world.found(search, "red mug", history=history)[:3]) != {0, 1, 9}
    assert set(world.found(with_towers, "red mug", history=history)[:2]) == {1, 9}
    assert with_towers.feature_names == search.feature_names
    person, personal, state = world.asked(search, ["red mug"], history=history)
    _, _, towered = world.asked(with_towers, ["red mug"], history=history)
    rows = tf.range(N)[None]
    found = [
        each.features(person, rows, personal=personal, state=of)
        for each, of in ((search, state), (with_towers, towered))
    ]
    np.testing.assert_array_equal(*found)


def test_only_what_matches_is_a_candidate_however_near(
    towers: world.FakeTowers,
) -> None:
    search = world.search_funnel(SearchConfig(tower_weight=9.0), towers=towers)
    assert 8 not in world.found(search, "red mug", history=(8,))
    # Filters and queries without a word hold for the towers too.
    allowed = np.ones(N, bool)
    allowed[1] = False
    assert 1 in world.found(search, "red mug", history=(1,))
    assert 1 not in world.found(search, "red mug", history=(1,), allowed=allowed)
    assert world.found(search, "", history=(1,)) == []


def test_without_a_weight_the_towers_are_not_asked(
    search: SearchFunnel, towers: world.FakeTowers
) -> None:
    off = world.search_funnel(SearchConfig(tower_weight=0.0), towers=towers)
    assert off.retriever is None
    _, _, state = world.asked(off, MANY, history=(1, 9))
    np.testing.assert_array_equal(state.order, state.scores)


def test_feedback_moves_the_query_towards_what_it_found() -> None:
    plain = world.search_funnel()
    moved = world.search_funnel(SearchConfig(feedback_items=2, feedback_weight=0.7))
    allowed = np.ones((len(MANY), N), bool)
    allowed[0, :3] = False
    _, _, first = world.asked(plain, MANY, allowed=allowed)
    _, _, state = world.asked(moved, MANY, allowed=allowed)
    found, before = world.signal(state, "dense"), world.signal(first, "dense")
    vectors = world.item_vectors()
    asked = plain.encoder.embed_queries(tf.constant(MANY)).numpy()
    scored = world.dense(first, first.scores)
    listed = world.dense(first, first.items.first) > 0
    for row, vector in enumerate(asked):
        scores = np.where(allowed[row] & listed[row], scored[row], -np.inf)
        if MANY[row] == "":
            scores[:] = -np.inf
        best = [i for i in np.argsort(-scores, kind="stable")[:2] if scores[i] > -1e8]
        vector = vector + 0.7 * vectors[best].sum(axis=0) / 2
        vector = vector / max(float(np.linalg.norm(vector)), 1e-9)
        expected = np.where(allowed[row], np.maximum(vectors @ vector, 0.0), 0.0)
        if MANY[row] == "":
            expected[:] = 0.0
        np.testing.assert_allclose(found[row], expected, atol=1e-5)
    assert np.abs(found - before).max() > 0.01


def test_feedback_finds_nothing_for_a_query_that_found_nothing() -> None:
    search = world.search_funnel(SearchConfig(feedback_items=3))
    assert world.found(search, "xyz") == []
    # What is in the history is no find: it is there whatever the words.
    assert world.found(search, "xyz", history=(1, 9)) == []
    assert world.found(search, "red mug", history=(1, 9)) != []
