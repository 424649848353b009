"""Fitting on a world with a known answer; restart; evaluation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import trainer  # noqa: F401  (sets TF_USE_LEGACY_KERAS)

import tensorflow as tf  # isort: skip

from tests.trainer.retriever import worlds
from trainer.preprocessing import names
from trainer.retriever import evaluation, fit
from trainer.retriever.fit_two_tower import fit_two_tower, new_model

pytestmark = pytest.mark.slow

TRAIN = worlds.checkerboard_moments(1500, seed=1)
EVALUATE = worlds.checkerboard_moments(150, seed=2)
CATALOGUE = worlds.checkerboard_catalogue()
SIZES = worlds.checkerboard_sizes()


@pytest.mark.parametrize("kind", ["mean", "gru"])
def test_checkerboard_world_is_learned(kind: str, tmp_path: Path) -> None:
    config = worlds.tiny_config(history_encoder=kind)
    model, history = fit_two_tower(
        CATALOGUE, SIZES, TRAIN, EVALUATE, config, str(tmp_path)
    )
    # A fourth of the items is the right group; popularity finds a fourth of it.
    assert history["popularity_recall"] < 0.4
    assert max(entry["recall"] for entry in history["epochs"]) > 0.95
    _assert_new_item_finds_its_group(model)
    assert json.loads((tmp_path / "history.json").read_text()) == history
    assert list((tmp_path / "logs").glob("events.out.tfevents.*"))


def _assert_new_item_finds_its_group(model: tf.keras.Model) -> None:
    """An unknown id with the title of group 2 lands among the items of group 2."""
    new = {
        names.ITEM_ID: tf.constant([0]),
        names.TITLE_TOKENS: tf.constant([[3, 0]]),
    }
    embedding = model.candidates(model.item_vectors(new))
    _, candidates = model.item_matrix()
    scores = tf.matmul(embedding, candidates[:-1], transpose_b=True)
    nearest = tf.math.top_k(scores[0], 10).indices.numpy()
    assert (nearest % worlds.NUM_GROUPS == 2).all()


def test_a_killed_run_goes_on_after_its_last_epoch(tmp_path: Path) -> None:
    config = worlds.tiny_config(max_epochs=2, patience=9)
    whole = new_model(CATALOGUE, SIZES, config)
    fit.fit(whole, TRAIN, EVALUATE, config, str(tmp_path / "whole"))

    first = new_model(CATALOGUE, SIZES, config)
    fit.fit(first, TRAIN, EVALUATE, config, str(tmp_path / "run"), num_epochs=1)
    second = new_model(CATALOGUE, SIZES, config)
    history = fit.fit(second, TRAIN, EVALUATE, config, str(tmp_path / "run"))

    assert len(history["epochs"]) == 2
    expected = evaluation.query_embeddings(whole, EVALUATE)
    np.testing.assert_allclose(
        evaluation.query_embeddings(second, EVALUATE), expected, atol=2e-2
    )


def test_a_finished_run_is_only_read(tmp_path: Path) -> None:
    config = worlds.tiny_config(max_epochs=1)
    model = new_model(CATALOGUE, SIZES, config)
    first = fit.fit(model, TRAIN, EVALUATE, config, str(tmp_path))
    again = fit.fit(
        new_model(CATALOGUE, SIZES, config), TRAIN, EVALUATE, config, str(tmp_path)
    )
    assert again == first


def test_refit_uses_all_moments(tmp_path: Path) -> None:
    config = worlds.tiny_config(max_epochs=1, refit=True)
    _, history = fit_two_tower(CATALOGUE, SIZES, TRAIN, EVALUATE, config, str(tmp_path))
    assert len(history["refit"]) == history["best_epoch"] == 1


def test_a_run_killed_behind_its_last_epoch_counts_the_same(tmp_path: Path) -> None:
    config = worlds.tiny_config(max_epochs=1, refit=True)
    counts = [
        fit_two_tower(CATALOGUE, SIZES, TRAIN, EVALUATE, config, str(tmp_path))[1]
        for _ in range(2)
    ]
    assert counts[0]["parameters"] == counts[1]["parameters"]
    assert min(counts[0]["parameters"].values()) > 0


def test_recall_by_hand() -> None:
    # Targets of moment i are x and x + 4 (mod 100); a page with one of the two: 1/2.
    moments = worlds.checkerboard_moments(2, seed=0)
    first, second = moments.target_rows[0], moments.target_rows[2:4]
    pages = np.array([[first, 99_999], second], np.int32)
    assert evaluation.recall(pages, moments) == pytest.approx((0.5 + 1.0) / 2)
    one_slot = pages[:, :1]  # at k = 1 one hit is all there can be
    assert evaluation.recall(one_slot, moments) == pytest.approx(1.0)


def test_popular_rows_by_count() -> None:
    moments = worlds.checkerboard_moments(500, seed=0)
    counts = np.bincount(moments.target_rows, minlength=worlds.NUM_ITEMS)
    top = evaluation.popular_rows(moments, worlds.NUM_ITEMS, 5)
    assert counts[top].tolist() == sorted(counts.tolist(), reverse=True)[:5]


def test_the_refit_trains_all_chosen_epochs_however_long_they_take(
    tmp_path: Path,
) -> None:
    # No epoch takes so little: the first fit stops after one, by its time.
    config = worlds.tiny_config(max_epochs=3, max_seconds=1e-9)
    model = new_model(CATALOGUE, SIZES, config)
    stopped = fit.fit(model, EVALUATE, EVALUATE, config, str(tmp_path / "trial"))
    assert len(stopped["epochs"]) == 1
    model = new_model(CATALOGUE, SIZES, config)
    refit = fit.fit(
        model, EVALUATE, None, config, str(tmp_path / "refit"), num_epochs=3
    )
    assert len(refit["epochs"]) == 3
