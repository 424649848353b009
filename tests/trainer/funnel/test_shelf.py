"""The first stage of a large catalogue: as the whole one's, of what it weighs."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from components.join_history.make_moments import make_moments
from core.config.funnel import FunnelConfig
from core.config.moments import MomentConfig
from core.config.neighbours import NeighboursConfig
from tests.trainer.funnel import tiny_shop
from tests.trainer.funnel.test_funnel import DAY, HISTORY, NOW, N, moment
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
    return build_item_tables(
        tiny_shop.items(),
        tiny_shop.events(),
        as_of=NOW,
        shop=tiny_shop.SHOP,
        config=NeighboursConfig(num_neighbours=10, ease_lambda=5.0, title_dim=8),
    )


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


def test_candidates_are_the_best_of_the_roughly_best(
    few: CandidateFunnel, whole: CandidateFunnel
) -> None:
    state = few.state(people(), QUERIES)
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


def test_the_first_stage_learns_from_what_stands_on_shelves(
    few: CandidateFunnel, whole: CandidateFunnel, tables: ItemTables
) -> None:
    made = make_moments(tiny_shop.events(), tiny_shop.SPLITS, MomentConfig())
    moments = made["train"]
    everything = build_funnel(tables, VECTORS, ALL)
    full, all_, part = (
        fusion_batches(funnel, moments, tables.item_ids)
        for funnel in (whole, everything, few)
    )
    for a, b, c in zip(full, all_, part, strict=True):
        # The same in the order of each shelf.
        np.testing.assert_array_equal(a.labels.sum(axis=1), b.labels.sum(axis=1))
        np.testing.assert_allclose(
            np.einsum("bsn,bn->bs", a.shares[..., :N], a.labels[:, :N]),
            np.einsum("bsn,bn->bs", b.shares, b.labels),
            rtol=5e-3,
        )
        np.testing.assert_allclose(
            np.einsum("pn,bn->bp", a.shared[:, :N], a.labels[:, :N]),
            np.einsum("bpn,bn->bp", b.shared, b.labels),
            rtol=1e-4,
        )
        assert c.labels.shape == (len(a.labels), 6)
        assert c.shares.shape == (len(a.labels), a.shares.shape[1], 6)
        assert (c.labels.sum(axis=1) <= a.labels.sum(axis=1)).all()
    assert sum(batch.labels.sum() for batch in part) > 0
    start = few.fusion.weights()
    assert fit_fusion(part, start, epochs=2, l2=1e-3, seed=1) != start
