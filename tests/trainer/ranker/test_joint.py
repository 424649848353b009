"""Moments and pages ranked by one network, and its two sides."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from core.config.ranker import RankerConfig
from core.errors import ArtifactError
from tests.trainer.ranker.worlds import EVAL_CUTOFF, FEATURES, world
from trainer.export.ranker_export import RankerExport
from trainer.ranker import losses
from trainer.ranker.dataset import UNKNOWN_LABEL, CandidateRows
from trainer.ranker.fit import FittedRanker, fit_ranker
from trainer.ranker.joint import (
    JointJudge,
    join_rows,
    joint_config,
    recommendation_side,
    search_side,
)
from trainer.ranker.judge import Judge

F = len(FEATURES)
HIDDEN = ("person_*", "log_count")
CONFIG = RankerConfig(
    hidden_units=(16, 8), epochs=4, moments_per_batch=8, learning_rate=0.01, top_k=5
)
SEARCH = RankerConfig(
    target_event="click", listwise_weight=0.5, new_weight=1.0, top_k=5, choice_new=1.0
)


def search_pages(pages: int = 120, rows: int = 10, seed: int = 3) -> CandidateRows:
    """What matches the words is clicked, half of it was shown; nothing else counts."""
    rng = np.random.default_rng(seed)
    size = 2 * pages * rows
    matches = rng.random(size) < 0.4
    shown = rng.random(size) < 0.5
    clicked = matches & shown
    values = np.concatenate(
        [rng.normal(size=(size, F)), matches[:, None], rng.normal(size=(size, 1))], 1
    )
    starts = np.arange(0, size + 1, rows)
    return CandidateRows(
        features=values.astype(np.float32),
        labels=clicked[:, None].astype(np.uint8),
        owned=~shown,
        starts=starts,
        truth_size=np.add.reduceat(clicked, starts[:-1])[:, None].astype(np.int32),
        cutoff=np.repeat([EVAL_CUTOFF - 900, EVAL_CUTOFF], pages),
        split=np.repeat(np.array([0, 2], np.int8), pages),
        feature_names=(*FEATURES, "query_match", "query_fused"),
        event_types=("click",),
        gains=(clicked * 2.5).astype(np.float32),
    )


def moments(folder: Path) -> CandidateRows:
    """The checkerboard, with a click type that moments know nothing of."""
    rows = world(folder, moments=80)
    clicks = np.zeros_like(rows.labels[:, :1])
    labels = np.concatenate([clicks, rows.labels], axis=1)
    truth_size = np.pad(rows.truth_size, [(0, 0), (1, 0)])
    return dataclasses.replace(
        rows,
        labels=labels,
        truth_size=truth_size,
        event_types=("click", *rows.event_types),
    )


def test_lists_stand_one_kind_after_the_other(tmp_path: Path) -> None:
    first, second = moments(tmp_path), search_pages()
    rows = join_rows(first, second, CONFIG, HIDDEN)
    m, n = len(first.truth_size), len(first.features)
    assert rows.feature_names == second.feature_names
    np.testing.assert_array_equal(rows.features[:n, :F], first.features)
    assert np.isnan(rows.features[:n, F:]).all()
    hidden = [FEATURES.index("person_side"), FEATURES.index("log_count")]
    assert np.isnan(rows.features[n:, hidden]).all()
    kept = [i for i in range(F + 2) if i not in hidden]
    np.testing.assert_array_equal(rows.features[n:, kept], second.features[:, kept])
    np.testing.assert_array_equal(np.diff(rows.starts)[m:], np.diff(second.starts))
    np.testing.assert_array_equal(rows.labels[n:, 0], second.labels[:, 0])
    assert (rows.labels[n:, 1:] == UNKNOWN_LABEL).all()
    np.testing.assert_array_equal(rows.gains[n:], second.gains)
    # All pages count as one cut-off, and as the newest.
    assert len(set(rows.cutoff[m:])) == 1 and rows.cutoff[m:].min() > EVAL_CUTOFF


def test_a_moment_s_gains_make_the_softmax_loss(tmp_path: Path) -> None:
    first = moments(tmp_path)
    rows = join_rows(first, search_pages(), CONFIG.replace(positives_cap=3), ())
    size = int(first.starts[1])
    target = first.labels[:size, first.event_types.index("purchase")]
    assert target.sum() > 3
    scores = tf.constant(np.random.default_rng(0).normal(size=(1, size)), tf.float32)
    mask = tf.ones([1, size], tf.bool)
    expected = losses.listwise_softmax_loss(
        scores, tf.constant(target[None], tf.float32), mask, positives_cap=3
    )
    gains = tf.constant(rows.gains[None, :size])
    found = losses.weighted_softmax_loss(scores, gains, mask, positives_cap=3)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_candidates_of_other_settings_are_refused(tmp_path: Path) -> None:
    pages = search_pages()
    other = dataclasses.replace(pages, feature_names=tuple("abcdefg"))
    for wrong in (other, dataclasses.replace(pages, gains=None)):
        with pytest.raises(ArtifactError, match="Mine both again"):
            join_rows(moments(tmp_path), wrong, CONFIG, ())


def test_each_kind_is_judged_as_its_own_ranker_is(tmp_path: Path) -> None:
    first, second = moments(tmp_path), search_pages()
    judge = JointJudge(first, second, CONFIG, SEARCH)
    rows = join_rows(first, second, CONFIG, HIDDEN)
    numbers = rows.moments("eval")
    scores = np.random.default_rng(1).normal(size=len(rows.rows_of(numbers)))
    found = judge.metrics(numbers, scores.astype(np.float32))
    own, pages = first.moments("eval"), second.moments("eval")
    size = len(first.rows_of(own))
    alone = Judge(first, CONFIG).metrics(own, scores[:size])
    search = Judge(second, SEARCH).metrics(pages, scores[size:])["metric"]
    assert found["ndcg"] == alone["ndcg"] and found["ndcg_new"] == alone["ndcg_new"]
    assert found["search"] == search
    assert found["metric"] == pytest.approx((alone["metric"] + search) / 2)
    assert judge.calibrates(numbers).sum() == len(own)


def fitted(folder: Path, **changes: object) -> tuple[FittedRanker, CandidateRows]:
    first, second = moments(folder), search_pages()
    config = joint_config(CONFIG.replace(**changes), SEARCH)
    judge = JointJudge(first, second, CONFIG, SEARCH)
    return fit_ranker(join_rows(first, second, CONFIG, HIDDEN), config, judge=judge), (
        second
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"architectures": ("dcn",), "epochs": 1},
        {"sharing": "mmoe", "num_experts": 2, "epochs": 1},
    ],
    ids=["mlp", "dcn", "mmoe"],
)
def test_both_sides_answer_as_the_joint_ranker(tmp_path: Path, changes: dict) -> None:
    joint, pages = fitted(tmp_path, **changes)
    whole = RankerExport(joint)
    raw = pages.features[:50].copy()
    of_moments, of_pages = raw.copy(), raw.copy()
    of_moments[:, F:] = np.nan
    of_pages[:, [FEATURES.index("person_side"), FEATURES.index("log_count")]] = np.nan
    recommendation = recommendation_side(joint, F)
    assert recommendation.feature_names == FEATURES
    for side, given, neutral in (
        (recommendation, raw[:, :F], of_moments),
        (search_side(joint, HIDDEN), raw, of_pages),
    ):
        expected, found = whole.score(neutral), RankerExport(side).score(given)
        for name, values in expected.items():
            np.testing.assert_allclose(found[name], values, atol=1e-5)


@pytest.mark.slow
def test_one_network_learns_both(tmp_path: Path) -> None:
    joint, _ = fitted(tmp_path, epochs=8)
    validation = joint.history["validation"]
    # By chance .5 on moments, about .5 on pages.
    assert validation["ndcg"] > 0.9
    assert validation["search"] > 0.9
