"""What a row counts in the listwise loss: its gain, or the target event's label."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from core.config.ranker import RankerConfig
from tests.trainer.ranker.worlds import world, write_world
from trainer.ranker.dataset import CandidateRows, read_candidates
from trainer.ranker.fit import fit_ranker
from trainer.ranker.list_batches import list_batches
from trainer.search.position_bias import Propensities

CONFIG = RankerConfig(hidden_units=(8,), epochs=1, moments_per_batch=4)


def _batches(rows: CandidateRows) -> list:
    moments = rows.moments("train")
    return list(list_batches(rows, moments, config=CONFIG, epoch=1))


def test_without_gains_a_row_is_worth_its_target_label(tmp_path: Path) -> None:
    rows = world(tmp_path, moments=6, rows=5)
    assert rows.gains is None  # the files hold none
    for batch in _batches(rows):
        bought = np.where(batch.mask, batch.labels[..., 1], 0)
        np.testing.assert_array_equal(np.where(batch.mask, batch.gains, 0), bought)


def test_gains_take_the_label_s_place_and_change_nothing_else(tmp_path: Path) -> None:
    plain = world(tmp_path, moments=6, rows=5)
    # A row's gain is a number that its noise feature tells.
    gains = plain.features[:, 2] + 10.0
    rows = dataclasses.replace(plain, gains=gains)
    for with_gains, without in zip(_batches(rows), _batches(plain), strict=True):
        expected = with_gains.features[..., 2] + 10.0
        np.testing.assert_array_equal(with_gains.gains, expected)
        for name in ("features", "labels", "owned", "mask"):
            np.testing.assert_array_equal(
                getattr(with_gains, name), getattr(without, name)
            )


def test_gains_are_read_where_every_file_has_them(tmp_path: Path) -> None:
    uri = write_world(tmp_path, moments=3, rows=4)
    files = sorted(tmp_path.glob("Split-*/part-*.npz"))
    for number, path in enumerate(files):
        assert read_candidates(uri).gains is None
        with np.load(path) as file:
            arrays = dict(file)
        arrays["gains"] = arrays["rows"] * np.float32(number + 1)
        np.savez(path, **arrays)
    rows = read_candidates(uri)
    assert rows.gains is not None and len(rows.gains) == len(rows.labels)
    with np.load(tmp_path / "Split-eval" / "part-00000.npz") as shard:
        numbers = rows.rows_of(rows.moments("eval"))
        np.testing.assert_array_equal(rows.gains[numbers], shard["gains"])


def _biased_pages(num_pages: int = 5_000) -> tuple[CandidateRows, np.ndarray]:
    """Pages sorted by a feature that is worth nothing, clicks, and what they count."""
    rng = np.random.default_rng(0)
    slots = 8
    examine = 1.0 / (1.0 + np.arange(slots))
    features = rng.normal(size=(num_pages, slots, 2)).astype(np.float32)
    order = np.argsort(-features[..., 1], axis=1)
    features = np.take_along_axis(features, order[..., None], axis=1)
    attract = 1.0 / (1.0 + np.exp(1.0 - features[..., 0]))
    clicked = rng.random(attract.shape) < examine * attract
    bias = Propensities(examine, np.ones(slots, np.int64))
    weights = bias.weights(np.broadcast_to(np.arange(slots), clicked.shape))
    rows = CandidateRows(
        features=features.reshape(-1, 2),
        labels=clicked.reshape(-1, 1).astype(np.uint8),
        owned=np.zeros(clicked.size, bool),
        starts=np.arange(0, clicked.size + 1, slots),
        truth_size=clicked.sum(axis=1, keepdims=True).astype(np.int32),
        cutoff=np.zeros(num_pages, np.int64),
        split=np.zeros(num_pages, np.int8),
        feature_names=("worth", "logging"),
        event_types=("click",),
    )
    return rows, (clicked * weights).reshape(-1).astype(np.float32)


@pytest.mark.slow
def test_gains_undo_the_position_bias_of_the_clicks() -> None:
    config = RankerConfig(
        target_event="click",
        hidden_units=(16,),
        moments_per_batch=64,
        epochs=6,
        learning_rate=0.01,
        dropout=0.0,
        pointwise_weight=0.0,
        listwise_loss="weighted",
        calibration="none",
    )
    held_out = np.random.default_rng(1).normal(size=(1_000, 2)).astype(np.float32)
    taus = {}
    for name in ("raw", "gains"):
        rows, gains = _biased_pages()
        if name == "gains":
            rows = dataclasses.replace(rows, gains=gains)
        fitted = fit_ranker(rows, config)
        logits = fitted.model(fitted.normalizer.apply(held_out)).numpy()
        # The head of the score stands before the events'.
        taus[name] = stats.kendalltau(logits[:, 0], held_out[:, 0]).statistic
    assert taus["raw"] < 0.6
    assert taus["gains"] > 0.8


@pytest.mark.slow
def test_what_people_look_at_teaches_what_they_buy() -> None:
    """Views tell of a taste that few purchases cannot; both go by the same feature."""
    rng = np.random.default_rng(3)
    moments, size, width = 400, 10, 30
    features = rng.normal(size=(moments, size, width)).astype(np.float32)
    viewed = features[..., 0] > 1.0
    bought = viewed & (rng.random(viewed.shape) < 0.02)
    rows = CandidateRows(
        features=features.reshape(-1, width),
        labels=np.stack([viewed, bought], axis=-1).reshape(-1, 2).astype(np.uint8),
        owned=np.zeros(moments * size, bool),
        starts=np.arange(0, moments * size + 1, size),
        truth_size=np.stack([viewed, bought], axis=-1).sum(axis=1).astype(np.int32),
        cutoff=np.zeros(moments, np.int64),
        split=np.zeros(moments, np.int8),
        feature_names=tuple(f"f{i}" for i in range(width)),
        event_types=("view", "purchase"),
    )
    held_out = np.random.default_rng(1).normal(size=(1_000, width)).astype(np.float32)
    taus = {}
    for weight in (0.0, 1.0):
        config = RankerConfig(
            hidden_units=(8,),
            learning_rate=0.01,
            pointwise_weight=0.0,
            other_events_weight=weight,
            calibration="none",
        )
        fitted = fit_ranker(
            dataclasses.replace(rows, features=rows.features.copy()), config
        )
        scores = fitted.model(fitted.normalizer.apply(held_out)).numpy()[:, 0]
        taus[weight] = stats.kendalltau(scores, held_out[:, 0]).statistic
    assert taus[1.0] > taus[0.0] + 0.1, taus
