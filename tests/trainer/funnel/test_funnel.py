"""The funnel in the graph against slow Python, and its behaviour at the edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from core.config.funnel import FunnelConfig
from tests.trainer.funnel import tiny_shop
from tests.trainer.funnel.slow_features import Event, slow_features
from trainer.funnel.funnel import CandidateFunnel
from trainer.funnel.fusion import FusionWeights
from trainer.funnel.sources import SOURCES
from trainer.funnel.tables import ItemTables, build_item_tables
from trainer.moment import Moment

NOW = tiny_shop.T2
N = tiny_shop.NUM_ITEMS
DAY = tiny_shop.DAY
KINDS = tiny_shop.SHOP.event_types


@pytest.fixture(scope="module")
def tables() -> ItemTables:
    return tiny_shop.tables()


@pytest.fixture(scope="module")
def funnel(tables: ItemTables) -> CandidateFunnel:
    vectors = np.random.default_rng(0).standard_normal((N, 4)).astype(np.float32)
    return CandidateFunnel(tables, vectors, FunnelConfig(num_candidates=24))


def moment(histories: list[list[Event]], width: int | None = None) -> Moment:
    """Right-aligned histories; slots beyond them are pads."""
    width = max([1, *map(len, histories)]) if width is None else width
    rows = np.full((len(histories), width), N, np.int32)
    kinds = np.full((len(histories), width), -1, np.int32)
    stamps = np.zeros((len(histories), width), np.int64)
    for i, history in enumerate(histories):
        for j, (row, kind, stamp) in enumerate(history):
            slot = width - len(history) + j
            rows[i, slot], stamps[i, slot] = row, stamp
            kinds[i, slot] = KINDS.index(kind) if kind in KINDS else -1
    return Moment(
        user_ids=tf.constant([f"u{i}" for i in range(len(histories))]),
        timestamps=tf.fill([len(histories)], tf.constant(NOW, tf.int64)),
        history_rows=tf.constant(rows),
        history_events=tf.constant(kinds),
        history_timestamps=tf.constant(stamps),
        context={"country": tf.fill([len(histories)], "FR")},
    )


HISTORY: list[Event] = [
    (3, "view", NOW - 40 * DAY),
    (3, "purchase", NOW - 40 * DAY + 60),
    (5, "purchase", NOW - 40 * DAY + 60),
    (3, "purchase", NOW - 12 * DAY - 7),
    (3, "purchase", NOW - 12 * DAY - 5),  # the same visit again
    (8, "purchase", NOW - 12 * DAY - 5),
    (9, "view", NOW - 3 * DAY),
    (9, "view", NOW - 2 * DAY),
]


def test_features_match_slow_python(
    funnel: CandidateFunnel, tables: ItemTables
) -> None:
    wanted = [3, 5, 8, 9, 0, 7, tiny_shop.COLD]
    found = funnel.features(moment([HISTORY]), tf.constant([wanted])).numpy()[0]
    for i, row in enumerate(wanted):
        slow = slow_features(HISTORY, NOW, row, tables)
        for name, expected in slow.items():
            value = found[i, funnel.feature_names.index(name)]
            assert value == pytest.approx(expected, rel=1e-4, abs=1e-4), (row, name)


def test_features_do_not_depend_on_the_other_candidates_or_persons(
    funnel: CandidateFunnel,
) -> None:
    alone = funnel.features(moment([HISTORY]), tf.constant([[3]])).numpy()[0, 0]
    both = funnel.features(
        moment([HISTORY[:2], HISTORY]), tf.constant([[1, 2, 4], [9, 3, 8]])
    ).numpy()
    np.testing.assert_allclose(both[1, 1], alone, rtol=1e-5, atol=1e-6)


def test_order_and_padding_of_the_history_do_not_matter(
    funnel: CandidateFunnel,
) -> None:
    rows = tf.constant([[3, 5, 8, 9]])
    expected = funnel.features(moment([HISTORY]), rows).numpy()
    for other in (moment([HISTORY[::-1]]), moment([HISTORY], width=1024)):
        np.testing.assert_allclose(
            funnel.features(other, rows).numpy(), expected, rtol=1e-4, atol=1e-5
        )


def test_unknown_items_types_and_the_future_are_no_history(
    funnel: CandidateFunnel,
) -> None:
    noise: list[Event] = [
        (N, "purchase", NOW - DAY),
        (4, "gift", NOW - DAY),
        (4, "purchase", NOW),
        (4, "purchase", NOW + DAY),
    ]
    rows = tf.constant([[3, 4]])
    np.testing.assert_allclose(
        funnel.features(moment([HISTORY + noise]), rows).numpy(),
        funnel.features(moment([HISTORY]), rows).numpy(),
        rtol=1e-6,
    )


def test_candidates_are_distinct_and_padded_at_the_end(
    funnel: CandidateFunnel,
) -> None:
    found = funnel.retrieve(moment([HISTORY, []])).numpy()
    assert found.shape == (2, 24)
    for rows in found:
        real = rows[rows < N]
        assert len(real) == len(set(real)) > 0
        assert (rows[len(real) :] == N).all()


def test_own_items_are_among_the_candidates(funnel: CandidateFunnel) -> None:
    assert {3, 5, 8, 9} <= set(funnel.retrieve(moment([HISTORY])).numpy()[0])


def test_a_person_without_history_gets_popular_items(
    funnel: CandidateFunnel, tables: ItemTables
) -> None:
    found = funnel.retrieve(moment([[]]))
    assert int(np.argmax(tables.popularity[14])) in found.numpy()[0]
    origins = funnel.origins(found, funnel.state(moment([[]]))).numpy()[0]
    assert {SOURCES[s] for s in origins} <= {"popular", "trending", "knn"}
    values = funnel.features(moment([[]]), found).numpy()
    assert np.isfinite(values).all()


def test_a_history_without_slots_is_an_empty_history(funnel: CandidateFunnel) -> None:
    found = funnel.retrieve(moment([[]], width=0)).numpy()
    np.testing.assert_array_equal(found, funnel.retrieve(moment([[]])).numpy())


def test_only_allowed_items_are_retrieved(funnel: CandidateFunnel) -> None:
    allowed = np.zeros((1, N), bool)
    allowed[0, [2, 3, 11]] = True
    found = funnel.retrieve(moment([HISTORY]), None, tf.constant(allowed))
    assert set(found.numpy()[0]) == {2, 3, 11, N}
    nothing = tf.zeros([1, N], tf.bool)
    assert (funnel.retrieve(moment([HISTORY]), None, nothing).numpy() == N).all()


@pytest.mark.slow
def test_static_shapes_give_the_same_scores_compiled_or_not(
    funnel: CandidateFunnel, tables: ItemTables
) -> None:
    config = FunnelConfig(num_candidates=24)
    static = CandidateFunnel(tables, None, config, static_shapes=True)
    batch = moment([HISTORY, HISTORY[:1], []])
    numbers = batch._replace(user_ids=tf.zeros([3]), context={})
    rows = tf.constant([[3, 5, 8, 9, 0, 7, tiny_shop.COLD]] * 3)

    def scores(numbers: Moment) -> tuple[tf.Tensor, tf.Tensor]:
        state = static.state(numbers)
        return static.scores(state), static.features(numbers, rows, state=state)

    wanted = funnel.scores(funnel.state(batch)).numpy()
    for compiled in (False, True):
        found, values = tf.function(scores, jit_compile=compiled)(numbers)
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(
            values.numpy(), funnel.features(batch, rows).numpy(), rtol=1e-4, atol=1e-5
        )


def test_the_tower_adds_its_cosine(tables: ItemTables) -> None:
    config = FunnelConfig(num_candidates=3, tower_weight=100.0)
    funnel = CandidateFunnel(tables, np.eye(N, dtype=np.float32), config)
    query = np.zeros((1, N), np.float32)
    query[0, [4, 6, 2]] = [0.9, 0.8, 0.7]
    found = funnel.retrieve(moment([[]]), tf.constant(query))
    assert found.numpy().tolist() == [[4, 6, 2]]


def test_an_items_origin_is_what_speaks_for_it_most(tables: ItemTables) -> None:
    vectors = np.zeros((N, 2), np.float32)
    vectors[tiny_shop.COLD, 0] = 1.0
    funnel = CandidateFunnel(tables, vectors)
    likes = moment([[(26, "purchase", NOW - DAY)]])
    query = tf.constant([[1.0, 0.0]])
    rows = tf.constant([[26, tiny_shop.COLD]])
    found = funnel.origins(rows, funnel.state(likes, query)).numpy()[0]
    # What was bought is in the history; nobody bought the cold item, whose title has
    # words of it.
    assert [SOURCES[s] for s in found] == ["own", "title"]
    nobody = funnel.origins(rows, funnel.state(moment([[]]), query)).numpy()[0]
    assert SOURCES[nobody[1]] == "tower"


def test_weights_of_what_everyone_likes_can_be_changed(tables: ItemTables) -> None:
    funnel = CandidateFunnel(tables, None, FunnelConfig(num_candidates=1))
    names = funnel.fusion.names
    only = tuple(float(name == "popular_14") for name in names)
    funnel.assign_fusion(
        FusionWeights(names=names, linear=only, root=(0.0,) * len(only))
    )
    best = int(np.argmax(tables.popularity[14] + tables.buyers / 1e6))
    assert funnel.retrieve(moment([HISTORY])).numpy().tolist() == [[best]]


def test_cold_items_are_candidates_if_wanted(tables: ItemTables) -> None:
    likes = [(26, "purchase", NOW - DAY)]  # shares words with the cold item 29
    for wanted in (True, False):
        config = FunnelConfig(num_candidates=N, cold_items=wanted)
        found = CandidateFunnel(tables, None, config).retrieve(moment([likes]))
        assert (tiny_shop.COLD in found.numpy()[0]) == wanted


def test_sources_and_state_agree_with_separate_calls(funnel: CandidateFunnel) -> None:
    batch = moment([HISTORY, HISTORY[:3]])
    state = funnel.state(batch)
    shared = funnel.retrieve(batch, state=state)
    np.testing.assert_array_equal(shared, funnel.retrieve(batch))
    np.testing.assert_allclose(
        funnel.features(batch, shared, state=state),
        funnel.features(batch, shared),
    )


@pytest.mark.slow
def test_one_graph_takes_any_batch_history_and_candidates_and_reloads(
    funnel: CandidateFunnel, tmp_path: Path
) -> None:
    def answer(
        rows: tf.Tensor, kinds: tf.Tensor, stamps: tf.Tensor, now: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        batch = Moment(tf.fill(tf.shape(now), ""), now, rows, kinds, stamps, {})
        found = funnel.retrieve(batch)
        return found, funnel.features(batch, found)

    spec = tf.TensorSpec
    graph = tf.function(
        answer,
        input_signature=[
            spec([None, None], tf.int32),
            spec([None, None], tf.int32),
            spec([None, None], tf.int64),
            spec([None], tf.int64),
        ],
    )
    module = tf.Module()
    module.funnel, module.answer = funnel, graph
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    for batch in (moment([HISTORY]), moment([HISTORY, []], width=40)):
        inputs = (
            batch.history_rows,
            batch.history_events,
            batch.history_timestamps,
            batch.timestamps,
        )
        rows, values = loaded.answer(*inputs)
        np.testing.assert_array_equal(rows, funnel.retrieve(batch))
        np.testing.assert_allclose(
            values, funnel.features(batch, rows), rtol=1e-4, atol=1e-5
        )


def test_swapped_tables_give_the_features_of_their_cutoff(
    tables: ItemTables, funnel: CandidateFunnel
) -> None:
    earlier = build_item_tables(
        tiny_shop.items(),
        tiny_shop.events(),
        as_of=tiny_shop.SPLITS.eval_start,
        shop=tiny_shop.SHOP,
        config=tables.config,
    )
    rows = tf.constant([[3, 0, 12]])
    swapped = CandidateFunnel(earlier, None, funnel.config)
    swapped.swap_tables(tables)
    # The same candidates too: what is popular has changed with the tables.
    np.testing.assert_array_equal(
        swapped.retrieve(moment([HISTORY, []])), funnel.retrieve(moment([HISTORY, []]))
    )
    np.testing.assert_allclose(
        swapped.features(moment([HISTORY]), rows),
        funnel.features(moment([HISTORY]), rows),
        rtol=1e-5,
    )
