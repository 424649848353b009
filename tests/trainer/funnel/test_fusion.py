"""The first stage: its formula, its files, and what it learns from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.join_history.make_moments import make_moments
from core.config.funnel import FunnelConfig
from core.config.moments import MomentConfig
from core.config.neighbours import NeighboursConfig
from core.errors import ArtifactError
from tests.trainer.funnel import tiny_shop
from trainer.funnel.fit_fusion import FusionBatch, fit_fusion, fusion_batches
from trainer.funnel.funnel import CandidateFunnel
from trainer.funnel.fusion import Facets, Fusion, FusionWeights
from trainer.funnel.tables import build_item_tables

WEIGHTS = FusionWeights(
    names=("cf", "own", "brand_share", "popular_30"),
    linear=(1.0, 0.0, 10.0, 3.0),
    root=(0.0, 2.0, 0.0, 0.0),
)


def test_shares_are_weighed_and_rooted() -> None:
    # Person 0: cf best 4, own silent. Person 1: cf silent, own best 2.
    cf = tf.constant([[[4.0, 1.0]], [[0.0, 0.0]]])
    own = tf.constant([[[0.0, 0.0]], [[0.5, 2.0]]])
    best = tf.constant([[4.0, 0.0], [0.0, 2.0]])
    # Two brands; person 0 has only had the brand of item 1.
    facets = Facets(
        taken=tf.constant([[0.0, 1.0], [0.5, 0.5]]),
        combinations=tf.constant([[1], [0]]),
        of_items=tf.constant([1, 0]),  # brand 0, then brand 1
        sizes=(2,),
    )
    fusion, shared = Fusion(WEIGHTS), tf.constant([[0.5, 1.0]])
    found = fusion((cf, own), best, facets) + fusion.of_everyone(shared)
    # 1 * 4/4 + 3 * .5, 1 * 1/4 + 3 + 10 * 1; 2 * sqrt(.5 / 2) + 1.5 + 10 * .5, ...
    np.testing.assert_allclose(found, [[2.5, 13.25], [7.5, 10.0]], rtol=1e-6)


def test_weights_survive_their_file_and_other_signals_are_refused(
    tmp_path: Path,
) -> None:
    WEIGHTS.save(tmp_path)
    assert FusionWeights.load(tmp_path) == WEIGHTS
    fusion = Fusion(WEIGHTS)
    assert fusion.weights() == WEIGHTS
    turned = FusionWeights(
        names=WEIGHTS.names[::-1], linear=WEIGHTS.linear[::-1], root=WEIGHTS.root[::-1]
    )
    other = Fusion(FusionWeights.unfitted(WEIGHTS.names))
    other.assign(turned)
    assert other.weights() == WEIGHTS
    with pytest.raises(ArtifactError, match="cf, own, brand_share"):
        fusion.assign(FusionWeights.unfitted(("cf", "own")))
    (tmp_path / "fusion.json").write_text("{")
    with pytest.raises(ArtifactError, match="MineNegatives"):
        FusionWeights.load(tmp_path)


@pytest.fixture(scope="module")
def funnel() -> CandidateFunnel:
    tables = build_item_tables(
        tiny_shop.items(),
        tiny_shop.events(),
        as_of=tiny_shop.SPLITS.train_cutoffs[0],
        shop=tiny_shop.SHOP,
        config=NeighboursConfig(num_neighbours=10, ease_lambda=5.0, title_dim=8),
    )
    return CandidateFunnel(tables, None, FunnelConfig(fusion_epochs=30))


def test_the_signal_that_tells_the_truth_gets_the_weight(
    funnel: CandidateFunnel,
) -> None:
    random = np.random.default_rng(0)
    names, told = funnel.constants.signal_names, 3
    shares = random.random((64, len(names), funnel.num_items + 1))
    labels = np.zeros((64, funnel.num_items + 1), np.float32)
    labels[np.arange(64), shares[:, told].argmax(axis=1)] = 1.0
    batch = FusionBatch(
        shares=shares.astype(np.float16),
        shared=funnel.constants.shared.numpy(),
        labels=labels,
        offsets=np.zeros(funnel.num_items + 1, np.float32),
    )
    start = funnel.fusion.weights()
    found = fit_fusion([batch], start, epochs=30, l2=1e-3, seed=1)
    assert np.argmax(found.linear) == told
    assert found.linear[told] > 3 * sorted(found.linear)[-2]


def test_nothing_happened_leaves_the_weights(funnel: CandidateFunnel) -> None:
    start = FusionWeights.unfitted(funnel.fusion.names)
    assert fit_fusion([], start, epochs=3, l2=1e-3, seed=1) == start


def test_batches_hold_the_targets_of_their_moments(funnel: CandidateFunnel) -> None:
    moments = make_moments(tiny_shop.events(), tiny_shop.SPLITS, MomentConfig())
    train = moments["train"].to_pandas()
    cutoff = tiny_shop.SPLITS.train_cutoffs[0]
    train = train[train.timestamp == cutoff]
    wanted = sum(
        len({i for i, e in zip(ids, kinds, strict=True) if e == "purchase"})
        for ids, kinds in zip(train.target_item_ids, train.target_events, strict=True)
    )
    table = moments["train"].filter(moments["train"]["timestamp"].to_numpy() == cutoff)
    batches = fusion_batches(funnel, table, funnel.tables.item_ids)
    assert sum(batch.labels.sum() for batch in batches) == wanted > 0
    assert all((b.shares >= 0).all() and (b.shares <= 1).all() for b in batches)


def test_an_item_drawn_for_three_counts_as_three():
    rng = np.random.default_rng(0)
    shares = rng.random((8, 2, 10)).astype(np.float16)
    labels = np.zeros((8, 10), np.float32)
    labels[np.arange(8), shares[:, 0, :6].argmax(axis=1)] = 1.0
    # Items 6 .. 9 were drawn with a chance of one in three, or stand there three times.
    copies = np.array([*range(6), *[6, 7, 8, 9] * 3])
    offsets = np.log(np.where(np.arange(10) < 6, 1.0, 3.0)).astype(np.float32)
    shared = np.zeros((0, 10), np.float32)
    drawn = FusionBatch(shares=shares, shared=shared, labels=labels, offsets=offsets)
    whole = FusionBatch(
        shares=shares[:, :, copies],
        shared=shared[:, copies],
        labels=labels[:, copies],
        offsets=np.zeros(len(copies), np.float32),
    )
    start = FusionWeights(names=("a", "b"), linear=(1.0, 1.0), root=(0.0, 0.0))
    fits = [fit_fusion([b], start, epochs=40, l2=1e-3, seed=1) for b in (drawn, whole)]
    np.testing.assert_allclose(fits[0].linear, fits[1].linear, atol=1e-3)
    np.testing.assert_allclose(fits[0].root, fits[1].root, atol=1e-3)
