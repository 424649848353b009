"""The first stage of search: signals against NumPy, candidates, features, edges."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from core.config.search import SearchConfig
from core.errors import ArtifactError
from tests.trainer.search import funnel_world as world
from trainer.funnel.fusion import FusionWeights
from trainer.search.search_funnel import PRIOR, SIGNALS, SearchFunnel

N = world.N
MANY = world.MANY


@pytest.fixture(scope="module", params=["whole", "shelf"])
def search(request: pytest.FixtureRequest) -> SearchFunnel:
    return world.search_funnel(shelf=request.param == "shelf")


def reciprocal_ranks(scores: np.ndarray, size: int, k: int) -> np.ndarray:
    """1 / (k + rank) of the best `size` items with a score, rank 1 first."""
    order = np.argsort(-scores, kind="stable")[:size]
    gains = np.zeros(len(scores))
    for rank, row in enumerate(order, start=1):
        gains[row] = 1.0 / (k + rank) if scores[row] > 0 else 0.0
    return gains


def test_words_are_worth_what_the_lexical_index_says(search: SearchFunnel) -> None:
    _, _, state = world.asked(search, MANY)
    terms = search.lexical.terms(tf.constant(MANY))
    bm25 = search.lexical.scores(terms)[:, :N]
    np.testing.assert_allclose(world.signal(state, "bm25"), bm25, rtol=1e-6)
    every = tf.tile(tf.range(N)[None], [len(MANY), 1])
    coverage = search.lexical.coverage(terms, every)
    np.testing.assert_allclose(world.signal(state, "coverage"), coverage, rtol=1e-6)


def test_meaning_is_the_cosine_of_the_encoder(search: SearchFunnel) -> None:
    _, _, state = world.asked(search, MANY)
    expected = np.stack([world.cosines(query) for query in MANY])
    np.testing.assert_allclose(world.signal(state, "dense"), expected, atol=1e-6)


def test_clicks_for_the_query_are_signals(search: SearchFunnel) -> None:
    _, _, state = world.asked(search, ["LAMPS", "jug"])
    rates, counts = np.zeros((2, N)), np.zeros((2, N))
    rates[0, [5, 8]] = 0.5, 0.1
    counts[0, [5, 8]] = np.log(11.0), np.log(4.0)
    np.testing.assert_allclose(world.signal(state, "click_rate"), rates, atol=1e-6)
    np.testing.assert_allclose(world.signal(state, "clicks"), counts, atol=1e-6)


@pytest.mark.parametrize(("words", "meanings", "k"), [(200, 200, 60), (2, 1, 3)])
def test_ranks_are_fused_as_by_hand(words: int, meanings: int, k: int) -> None:
    search = world.search_funnel(
        SearchConfig(lexical_candidates=words, dense_candidates=meanings, rrf_k=k)
    )
    _, _, state = world.asked(search, MANY)
    expected = [
        reciprocal_ranks(bm25, words, k)
        + reciprocal_ranks(world.cosines(query), meanings, k)
        for query, bm25 in zip(MANY, world.signal(state, "bm25"), strict=True)
    ]
    np.testing.assert_allclose(world.signal(state, "rrf"), expected, rtol=1e-5)


def test_scores_add_up_shares_with_the_documented_weights(search: SearchFunnel) -> None:
    _, _, state = world.asked(search, MANY, history=(0, 4))
    signals = state.signals.numpy()
    expected = np.zeros(signals[:, 0].shape)
    for name, weight in zip(SIGNALS, PRIOR.linear, strict=True):
        values = signals[:, SIGNALS.index(name)]
        if name in ("bm25", "rrf", "clicks"):
            best = values.max(axis=1, keepdims=True)
            values = values / np.where(best > 0, best, 1.0)
        expected += weight * values
    np.testing.assert_allclose(state.scores, expected, rtol=1e-5)
    assert PRIOR.root == (0.0,) * len(SIGNALS)


def test_the_person_s_share_is_between_0_and_1(search: SearchFunnel) -> None:
    _, _, state = world.asked(search, ["red"] * 2, history=(0, 2))
    person = world.signal(state, "person")
    assert person.min() >= 0.0 and person.max() == 1.0
    assert person[0].argmax() in (0, 2)  # bought before


@pytest.mark.parametrize("query", MANY)
def test_candidates_match_by_words_meaning_or_clicks(
    search: SearchFunnel, query: str
) -> None:
    words = {w for w in query.split() if w != "nothing"}
    by_words = {
        row
        for row, (title, _, kind, _) in enumerate(world.CATALOGUE)
        if words & {*title.split(), kind, "home"} or (query == "茶壶" and "茶" in title)
    }
    by_meaning = {*np.flatnonzero(world.cosines(query)).tolist()}
    by_clicks = {row for q, row, *_ in world.CLICKS if q == query}
    # The chair is the person's own, but no answer to these words.
    found = world.found(search, query, history=(8,))
    assert set(found) == by_words | by_meaning | by_clicks
    assert len(found) == len(set(found))


def test_candidates_come_best_first(search: SearchFunnel) -> None:
    _, _, state = world.asked(search, MANY)
    every = world.dense(state, state.scores)
    for scores, rows in zip(every, search.retrieve(state), strict=True):
        assert (np.diff(scores[[r for r in rows if r < N]]) <= 0).all()


def test_what_has_all_the_words_comes_first(search: SearchFunnel) -> None:
    assert world.found(search, "red mug")[0] == 0
    assert world.found(search, "blue lamp")[0] == 5
    assert world.found(search, "红色茶杯")[0] == 7
    assert world.found(search, "כוס")[0] == 10


def test_own_items_that_match_stay_beyond_the_cut() -> None:
    config = SearchConfig(lexical_candidates=1, dense_candidates=1)
    search = world.search_funnel(config)
    assert len(world.found(search, "blue enamel")) == 1
    assert set(world.found(search, "blue enamel", history=(3, 5, 8))) == {1, 3, 5}


def test_a_narrow_filter_still_fills_the_page() -> None:
    search = world.search_funnel(
        SearchConfig(lexical_candidates=1, dense_candidates=1, num_candidates=2)
    )
    first = world.found(search, "red mug")
    allowed = np.ones(N, bool)
    allowed[[0, 1, 2]] = False  # the best by words and by meaning
    narrow = world.found(search, "red mug", allowed=allowed)
    assert first[0] == 0
    # "red" in a title is the best that is left of the words, 7 the nearest mug.
    assert sorted(narrow) == [7, 9]
    allowed[:] = False
    assert world.found(search, "red mug", allowed=allowed) == []


def test_an_item_that_is_ruled_out_scales_nothing(search: SearchFunnel) -> None:
    allowed = np.ones((1, N), bool)
    allowed[0, 0] = False
    _, _, state = world.asked(search, ["red mug"], allowed=allowed)
    best = state.best[0, SIGNALS.index("bm25")].numpy()
    others = search.lexical.scores(search.lexical.terms(tf.constant(["red mug"])))
    assert best == pytest.approx(others[0, 1:N].numpy().max(), rel=1e-6)


@pytest.mark.parametrize("query", ["", "   ", "the of", "🎉🛒", "!?…", "\u202e\u200f"])
def test_a_query_without_a_word_finds_nothing(search: SearchFunnel, query: str) -> None:
    assert world.found(search, query, history=(0, 1)) == []


def test_unknown_words_find_nothing(search: SearchFunnel) -> None:
    assert world.found(search, "qwxyz") == []


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("red mug 🎉", 0),
        ("RED   mug!!!", 0),
        ("red mug " + "x" * 10_000, 0),
        ("jug " * 2_500, None),
        ("\u202eכוס אדומה\u202c", 10),
    ],
)
def test_odd_queries_are_answered(
    search: SearchFunnel, query: str, best: int | None
) -> None:
    rows = world.found(search, query)
    assert rows[0] == best if best is not None else set(rows) == {2, 3}


def test_invalid_utf8_is_no_error(search: SearchFunnel) -> None:
    person = world.moment([])
    query = tf.constant([b"red \xff\xfe mug"])
    state = search.state(query, person, search.funnel.state(person))
    assert search.retrieve(state)[0, 0] == 0


def test_new_items_are_found_even_if_pages_for_nobody_leave_them_out() -> None:
    search = world.search_funnel(cold_items=False)
    assert N - 1 in world.found(search, "plain teapot")
    _, _, state = world.asked(search, ["plain teapot"])
    assert np.isfinite(state.scores).all()


def test_weights_of_other_signals_are_refused() -> None:
    with pytest.raises(ArtifactError, match="bm25"):
        world.search_funnel(fusion=FusionWeights.unfitted(["a"] * len(SIGNALS)))


def test_given_weights_decide_the_order() -> None:
    linear = tuple(float(name == "dense") for name in SIGNALS)
    fusion = FusionWeights(names=SIGNALS, linear=linear, root=(0.0,) * len(SIGNALS))
    search = world.search_funnel(fusion=fusion)
    # By meaning alone; "red" jugs and chairs follow in any order.
    assert world.found(search, "red mug")[:4] == [0, 1, 7, 10]


def test_the_cosine_counts_as_a_share_of_the_best_where_asked() -> None:
    linear = tuple({"bm25": 0.3, "dense": 0.7}.get(name, 0.0) for name in SIGNALS)
    fusion = FusionWeights(names=SIGNALS, linear=linear, root=(0.0,) * len(SIGNALS))
    search = world.search_funnel(SearchConfig(also_relative=("dense",)), fusion=fusion)
    _, _, state = world.asked(search, ["red mug", "lamp", "blue"])
    expected = [
        0.3 * bm25 / bm25.max() + 0.7 * cosines / max(cosines.max(), 1e-9)
        for bm25, cosines in zip(
            world.signal(state, "bm25"),
            map(world.cosines, ["red mug", "lamp", "blue"]),
            strict=True,
        )
    ]
    where = world.dense(state, state.matched) > 0
    scores = world.dense(state, state.scores)
    np.testing.assert_allclose(scores[where], np.array(expected)[where], atol=1e-6)


def features(search: SearchFunnel, queries: list[str], **options) -> dict:
    """Name → [B, C], rows under "rows"."""
    person, personal, state = world.asked(search, queries, **options)
    rows = search.retrieve(state)
    values = search.features(person, rows, personal=personal, state=state).numpy()
    assert values.shape == (*rows.shape, len(search.feature_names))
    by_name = {n: values[..., i] for i, n in enumerate(search.feature_names)}
    scores = np.pad(world.dense(state, state.scores), [(0, 0), (0, 1)])
    return {**by_name, "rows": rows.numpy(), "scores": scores}


def test_features_have_names_of_their_own_and_are_finite(search: SearchFunnel) -> None:
    names = search.feature_names
    assert len(set(names)) == len(names)
    assert names[: search.funnel.num_features] == search.funnel.feature_names
    odd = [*MANY, "the", "🎉", "x" * 10_000]
    for history in ((), (0, 0, 8, N - 1)):
        values = features(search, odd, history=history)
        assert all(np.isfinite(values[name]).all() for name in names)


def test_the_first_stage_s_score_is_a_feature(search: SearchFunnel) -> None:
    values = features(search, MANY, history=(3,))
    expected = np.take_along_axis(values["scores"], values["rows"], axis=1)
    np.testing.assert_allclose(values["query_fused"], expected, rtol=1e-6)
    assert (expected > 0).any()


def test_shares_are_signals_over_their_best(search: SearchFunnel) -> None:
    values = features(search, ["lamp"])
    rows = values["rows"][0].tolist()
    # Impressions 10 and 3: log 4 / log 11. Rates and cosines stay what they are.
    share = np.log(4.0) / np.log(11.0)
    assert values["query_clicks_share"][0][rows.index(8)] == pytest.approx(share)
    assert values["query_click_rate_share"][0][rows.index(5)] == pytest.approx(0.5)
    assert values["query_dense_share"][0][rows.index(4)] == pytest.approx(0.9)
    assert values["query_rrf_share"][0].max() == pytest.approx(1.0)


def test_price_fit_is_the_distance_from_what_was_clicked(search: SearchFunnel) -> None:
    values = features(search, ["lamp", "jug"])
    logs = np.log(world.PRICES)
    z = (logs - logs.mean()) / logs.std()
    weights = np.array([np.log(11.0), np.log(4.0)])
    wanted = np.average(z[[5, 8]], weights=weights)
    for row, fit in zip(values["rows"][0], values["query_price_fit"][0], strict=True):
        if row < N:
            assert fit == pytest.approx(abs(z[row] - wanted), abs=1e-4)
    # Nobody clicked anything for "jug".
    np.testing.assert_array_equal(values["query_price_fit"][1], 0.0)


def test_reasons_rest_on_history_words_and_clicks(search: SearchFunnel) -> None:
    _, personal, state = world.asked(search, ["lamp"], history=(4,))
    rows = tf.constant([[4, 5, 8, 0, N]])
    own, words, clicks = search.evidence(rows, personal, state)
    np.testing.assert_array_equal(own > 0, [[True, False, False, False, False]])
    np.testing.assert_array_equal(words > 0, [[True, True, False, False, False]])
    np.testing.assert_array_equal(clicks > 0, [[False, True, True, False, False]])


def test_a_batch_answers_as_its_queries_do_alone(search: SearchFunnel) -> None:
    _, _, state = world.asked(search, MANY, history=(2,))
    together = [[int(r) for r in row if r < N] for row in search.retrieve(state)]
    assert together == [world.found(search, q, history=(2,)) for q in MANY]
