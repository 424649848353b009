"""The first stage of a large catalogue: as the whole one's, of what it weighs."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from components.join_history.make_moments import make_moments
from core.config.funnel import FunnelConfig
from core.config.moments import MomentConfig
from tests.trainer.funnel import tiny_shop
from tests.trainer.funnel.test_funnel import DAY, HISTORY, NOW, N, moment
from trainer.funnel.drawn_items import draw_items
from trainer.funnel.fit_fusion import fit_fusion, fusion_batches
from trainer.funnel.funnel import CandidateFunnel
from trainer.funnel.fusion import FusionWeights
from trainer.funnel.shelf import ShelfFunnel, build_funnel
from trainer.funnel.sources import OWN
from trainer.funnel.tables import ItemTables, build_item_tables
from trainer.moment import Moment

ALL = FunnelConfig(num_candidates=24, whole_max_items=1, shelf_size=N, head_size=N)
FEW = ALL.replace(num_candidates=4, shelf_size=6, head_size=3)
VECTORS = np.random.default_rng(0).standard_normal((N, 4)).astype(np.float32)
QUERIES = tf.constant(np.random.default_rng(1).standard_normal((3, 4)), tf.float32)


@pytest.fixture(scope="module")
def tables() -> ItemTables:
    return tiny_shop.tables()


@pytest.fixture(scope="module")
def weights(tables: ItemTables) -> FusionWeights:
    names = CandidateFunnel(tables, VECTORS).fusion.names
    linear, root = np.random.default_rng(2).uniform(0.1, 2.0, (2, len(names)))
    return FusionWeights(names=names, linear=tuple(linear), root=tuple(root))


@pytest.fixture(scope="module")
def whole(tables: ItemTables, weights: FusionWeights) -> CandidateFunnel:
    return CandidateFunnel(tables, VECTORS, FunnelConfig(num_candidates=24), weights)


@pytest.fixture(scope="module")
def few(tables: ItemTables, weights: FusionWeights) -> CandidateFunnel:
    return build_funnel(tables, VECTORS, FEW, weights)


def people() -> Moment:
    return moment([HISTORY, HISTORY[:3], []])


def test_the_catalogues_size_decides(tables: ItemTables) -> None:
    for limit, kind in ((N, CandidateFunnel), (N - 1, ShelfFunnel)):
        config = FunnelConfig(whole_max_items=limit)
        assert type(build_funnel(tables, None, config)) is kind


def test_a_shelf_of_everything_says_what_the_whole_catalogue_says(
    tables: ItemTables, weights: FusionWeights, whole: CandidateFunnel
) -> None:
    shelf = build_funnel(tables, VECTORS, ALL, weights)
    assert shelf.feature_names == whole.feature_names
    state, wanted = shelf.state(people(), QUERIES), whole.state(people(), QUERIES)
    np.testing.assert_allclose(state.best, wanted.best, rtol=1e-5)
    rows = whole.retrieve(people(), state=wanted)
    np.testing.assert_array_equal(shelf.retrieve(people(), state=state), rows)
    np.testing.assert_allclose(
        shelf.features(people(), rows, state=state),
        whole.features(people(), rows, state=wanted),
        rtol=1e-4,
        atol=1e-5,
    )
    np.testing.assert_array_equal(
        shelf.origins(rows, state), whole.origins(rows, wanted)
    )
    scores = tf.gather(whole.scores(wanted), state.rows, batch_dims=1)
    last = state.columns(state.rows, N) == tf.range(state.rows.shape[1])
    np.testing.assert_allclose(shelf.scores(state)[last], scores[last], rtol=1e-4)


def test_the_rough_score_is_the_root_of_each_link_and_what_an_item_is_by_itself(
    few: CandidateFunnel, tables: ItemTables, weights: FusionWeights
) -> None:
    state = few.state(people())
    found = few.everywhere(state).numpy()[0]
    person = state.person
    learned = dict(
        zip(weights.names, np.add(weights.linear, weights.root), strict=True)
    )
    expected = few.prior.numpy().copy()
    for slot, row in enumerate(person.history.rows.numpy()[0]):
        expected[row] += learned[OWN] * np.sqrt(person.own.numpy()[0, slot])
        if row == N:
            continue
        for kind, group in few.constants.groups.items():
            weight = person.weights[kind].numpy()[0, slot]
            for source in group.sources:
                table = tables.neighbours[source]
                best = table.scores.max(axis=1)
                typical = best[best > 0].mean()
                for other, score in zip(
                    table.rows[row], table.scores[row], strict=True
                ):
                    root = np.sqrt(score * weight / typical)
                    expected[other] += learned[source] * root
    linear, root = (
        dict(zip(weights.names, w, strict=True)) for w in (weights.linear, weights.root)
    )
    start = 0
    for name, size in zip(
        few.constants.facet_names, few.constants.facet_sizes, strict=True
    ):
        taken = person.taken.numpy()[0, start : start + size][tables.facets[name]]
        expected[:N] += linear[f"{name}_share"] * taken + root[
            f"{name}_share"
        ] * np.sqrt(taken)
        start += size
    np.testing.assert_allclose(found[:N], expected[:N], rtol=1e-4, atol=1e-4)


def test_candidates_are_the_best_of_the_roughly_best(few: CandidateFunnel) -> None:
    state = few.state(people())
    rough = few.everywhere(state).numpy()[:, :N]
    shelf = np.argsort(-rough, axis=1)[:, :6]
    np.testing.assert_array_equal(np.sort(few.weighed(state)), np.sort(shelf))
    found = few.retrieve(people(), state=state).numpy()
    for rows, allowed in zip(found, shelf, strict=True):
        assert len(set(rows)) == 4 and set(rows) <= set(allowed)


def test_filters_change_the_shelf_and_no_feature(few: CandidateFunnel) -> None:
    allowed = np.zeros((3, N), bool)
    allowed[:, [2, 3, 11]] = True
    state = few.state(people(), QUERIES, tf.constant(allowed))
    found = few.retrieve(people(), allowed=tf.constant(allowed), state=state)
    for rows in found.numpy():
        assert set(rows) == {2, 3, 11, N}
    real = found[:, :3]
    np.testing.assert_allclose(
        few.features(people(), real, state=state),
        few.features(people(), real),
        rtol=1e-4,
        atol=1e-5,
    )
    open_ = few.state(people(), QUERIES)
    np.testing.assert_allclose(state.best, open_.best, rtol=1e-6)
    nothing = tf.zeros([3, N], tf.bool)
    assert (few.retrieve(people(), QUERIES, nothing).numpy() == N).all()


def test_features_do_not_depend_on_the_other_candidates(few: CandidateFunnel) -> None:
    alone = few.features(people(), tf.constant([[3]] * 3)).numpy()[:, 0]
    both = few.features(people(), tf.constant([[9, 3, N, 3]] * 3)).numpy()
    np.testing.assert_allclose(both[:, 1], alone, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(both[:, 3], alone, rtol=1e-5, atol=1e-6)


def test_what_the_tower_is_near_to_comes_on_the_shelf(tables: ItemTables) -> None:
    config = FEW.replace(tower_weight=100.0, tower_nearest=2)
    few = build_funnel(tables, np.eye(N, dtype=np.float32), config)
    query = np.zeros((1, N), np.float32)
    query[0, [tiny_shop.COLD, 28]] = [0.9, 0.8]  # nobody's choice
    found = few.retrieve(moment([[]]), tf.constant(query)).numpy()[0]
    assert found[:2].tolist() == [tiny_shop.COLD, 28]
    assert not {tiny_shop.COLD, 28} & set(few.retrieve(moment([[]])).numpy()[0])


def test_an_index_is_made_where_the_tower_is_asked(tables: ItemTables) -> None:
    asked = build_funnel(tables, VECTORS, FEW)
    silent = build_funnel(tables, VECTORS, FEW.replace(tower_weight=0.0))
    assert asked.constants.index is not None and silent.constants.index is None
    # `similar` reads the vectors either way, and pages are found without the index.
    assert silent.constants.tower is not None
    without = build_funnel(tables, None, FEW)
    rows = silent.retrieve(people(), QUERIES)
    np.testing.assert_array_equal(rows, without.retrieve(people()))


def test_other_tables_take_the_place_of_the_first(tables: ItemTables) -> None:
    earlier = build_item_tables(
        tiny_shop.items(),
        tiny_shop.events(),
        as_of=NOW - 20 * DAY,
        shop=tiny_shop.SHOP,
        config=tables.config,
    )
    swapped = build_funnel(tables, VECTORS, FEW)
    before = swapped.retrieve(people(), QUERIES).numpy()
    swapped.swap_tables(earlier)
    fresh = build_funnel(earlier, VECTORS, FEW).retrieve(people(), QUERIES).numpy()
    np.testing.assert_array_equal(swapped.retrieve(people(), QUERIES), fresh)
    assert (before != fresh).any()


def test_a_softmax_over_drawn_items_is_that_over_the_catalogue_in_the_mean() -> None:
    random, n = np.random.default_rng(3), 400
    scores = np.append(random.normal(0, 2, n), -np.inf)
    likely = np.argsort(-scores)[None, :20].repeat(2_000, axis=0)
    labels = np.zeros((2_000, n + 1), np.float32)
    labels[:, [3, int(likely[0, 0])]] = 1.0  # one of them is likely as well
    rows, offsets = draw_items(likely.astype(np.int32), labels, random)
    for row, offset in zip(rows[:50], offsets[:50], strict=True):
        real = row[row < n]
        assert len(real) == len(set(real)) and {3, *likely[0]} <= set(real)
        # Everything stands for something, and all together for all.
        assert np.exp(offset[row < n]).sum() == pytest.approx(n, rel=1e-4)
        assert (offset[row == n] < -1e8).all()
    sums = np.exp(scores[rows] + offsets).sum(axis=1)
    assert sums.mean() == pytest.approx(np.exp(scores).sum(), rel=0.01)


def test_the_first_stage_learns_the_weights_of_the_whole_catalogue(
    few: CandidateFunnel, whole: CandidateFunnel, tables: ItemTables
) -> None:
    made = make_moments(tiny_shop.events(), tiny_shop.SPLITS, MomentConfig())
    moments = made["train"]
    start = FusionWeights.unfitted(whole.fusion.names)
    everything = build_funnel(tables, VECTORS, ALL)
    learned = []
    for funnel in (whole, everything):
        batches = fusion_batches(funnel, moments, tables.item_ids)
        learned.append(fit_fusion(batches, start, epochs=3, l2=1e-3, seed=1))
    np.testing.assert_allclose(learned[0].linear, learned[1].linear, atol=5e-3)
    np.testing.assert_allclose(learned[0].root, learned[1].root, atol=5e-3)
    total = sum(b.labels.sum() for b in fusion_batches(whole, moments, tables.item_ids))
    part = fusion_batches(few, moments, tables.item_ids)
    assert sum(batch.labels.sum() for batch in part) == total > 0
    assert all((b.shares >= 0).all() and (b.shares <= 1).all() for b in part)


@pytest.mark.slow
def test_static_shapes_give_the_same_scores_compiled_or_not(
    tables: ItemTables, weights: FusionWeights, few: CandidateFunnel
) -> None:
    static = build_funnel(tables, VECTORS, FEW, weights, static_shapes=True)
    batch = people()
    numbers = batch._replace(user_ids=tf.zeros([3]), context={})
    rows = tf.constant([[3, 5, 8, 9, 0, 7]] * 3)

    def scores(numbers: Moment) -> tuple[tf.Tensor, tf.Tensor]:
        state = static.state(numbers, QUERIES)
        return static.scores(state), static.features(numbers, rows)

    wanted = few.scores(few.state(batch, QUERIES)).numpy()
    for compiled in (False, True):
        found, values = tf.function(scores, jit_compile=compiled)(numbers)
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(
            values.numpy(), few.features(batch, rows).numpy(), rtol=1e-4, atol=1e-4
        )
