"""The whole fit on constructed worlds: learning, restarts, calibration, odd input."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from core.config.ranker import RankerConfig
from core.errors import ArtifactError, ConfigError
from core.metrics import calibration_error
from tests.trainer.ranker.worlds import world
from trainer.ranker import epochs
from trainer.ranker import fit as fitting
from trainer.ranker.dataset import CandidateRows
from trainer.ranker.fit import fit_ranker
from trainer.ranker.model import split_heads

pytestmark = pytest.mark.slow

SMALL = RankerConfig(
    hidden_units=(16, 8), epochs=2, moments_per_batch=8, dropout=0.1, num_crosses=1
)


@pytest.mark.parametrize(
    "changes",
    [
        {"architectures": ("mlp", "dcn")},
        {"sharing": "mmoe", "num_experts": 2, "ema_decay": 0.9, "new_weight": 0.5},
        {
            "score_head": "weighted",
            "event_weights": (0.0, 1.0),
            "listwise_loss": "lambda",
            "calibration": "platt",
        },
    ],
    ids=["choice", "mmoe", "weighted"],
)
def test_the_checkerboard_is_learned(tmp_path: Path, changes: dict) -> None:
    rows = world(tmp_path, moments=150, rows=20)
    config = SMALL.replace(
        epochs=5, learning_rate=0.01, pointwise_weight=1.0, top_k=5, **changes
    )
    fitted = fit_ranker(rows, config)
    # a coin's NDCG is .5 here
    assert fitted.history["validation"]["ndcg"] > 0.97
    assert fitted.history["validation"]["ndcg_new"] > 0.97
    assert len(fitted.history["trials"]) == len(config.architectures)

    numbers = rows.rows_of(rows.moments("eval"))
    logits = fitted.model(rows.features[numbers])  # normalized by now
    _, events = split_heads(logits, rows.event_types, config)
    for i in range(2):  # view is certain or .2, purchase is certain or never
        p = fitted.calibrators[i].apply(events[:, i].numpy())
        labels = rows.labels[numbers, i]
        assert calibration_error(labels, p) < 0.05


def _small_shop(moments: int = 68, rows: int = 100) -> CandidateRows:
    """One row in 60 is bought, mostly those that are large in all features."""
    rng = np.random.default_rng(0)
    size = rng.exponential(size=(moments, rows, 1))
    logs = size + 0.5 * np.abs(rng.normal(size=(moments, rows, 8)))
    bought = rng.random((moments, rows)) < 1 / (1 + np.exp(7.2 - 1.5 * size[..., 0]))
    return CandidateRows(
        features=np.expm1(logs).astype(np.float32).reshape(-1, 8),
        labels=bought.reshape(-1, 1).astype(np.uint8),
        owned=np.zeros(bought.size, bool),
        starts=np.arange(0, bought.size + 1, rows),
        truth_size=bought.sum(axis=1, keepdims=True).astype(np.int32),
        cutoff=np.zeros(moments, np.int64),
        split=np.where(np.arange(moments) < 48, 0, 2).astype(np.int8),
        feature_names=tuple(f"size_{i}" for i in range(8)),
        event_types=("purchase",),
    )


def test_probabilities_of_a_rare_event_rank_after_twelve_steps() -> None:
    rows = _small_shop()
    # 48 moments are 3 batches of 16; with such a tolerance the last epoch wins.
    fitted = fit_ranker(rows, RankerConfig(epochs=4, epoch_tolerance=1.0))
    numbers = rows.rows_of(rows.moments("eval"))
    logits = fitted.model(rows.features[numbers]).numpy()[:, 1]
    bought = rows.labels[numbers, 0] == 1
    above = stats.mannwhitneyu(logits[bought], logits[~bought]).statistic
    auc = above / (bought.sum() * (~bought).sum())
    assert auc > 0.85  # the true chances have about .93


def test_a_killed_fit_continues_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = SMALL.replace(epochs=2, ema_decay=0.9, patience=9)
    straight = fit_ranker(world(tmp_path / "a"), config)

    epochs_trained = []
    train_epoch = epochs._train_epoch

    def killed_at_the_second(*args: Any, **kwargs: Any) -> epochs.Metrics:
        epochs_trained.append(kwargs["epoch"])
        if len(epochs_trained) == 2:
            raise KeyboardInterrupt
        return train_epoch(*args, **kwargs)

    monkeypatch.setattr(epochs, "_train_epoch", killed_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        fit_ranker(world(tmp_path / "a"), config, checkpoint_dir=tmp_path / "c")
    restarted = fit_ranker(world(tmp_path / "a"), config, checkpoint_dir=tmp_path / "c")

    best = straight.history["trials"][0]["best_epoch"]
    assert epochs_trained == [1, 2, 2, *range(1, best + 1)]
    assert restarted.history["trials"][0]["best_epoch"] == best
    for a, b in zip(
        straight.model.get_weights(), restarted.model.get_weights(), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_fit_that_stopped_early_stays_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in a later fit, it is asked again."""
    falling = iter([0.9, 0.5, 0.4, 0.95, 0.99, 0.99])
    monkeypatch.setattr(
        fitting._RankerFit, "_validate", lambda *_: {"metric": next(falling)}
    )
    config = SMALL.replace(epochs=6, patience=2)
    first = fit_ranker(world(tmp_path / "a"), config, checkpoint_dir=tmp_path / "c")
    trained: list[int] = []
    monkeypatch.setattr(
        epochs, "_train_epoch", lambda *_, **kw: trained.append(kw["epoch"])
    )

    again = fit_ranker(world(tmp_path / "a"), config, checkpoint_dir=tmp_path / "c")

    assert trained == []
    assert len(first.history["trials"][0]["epochs"]) == 3
    assert again.history["trials"][0]["best_epoch"] == 1


def test_other_settings_do_not_continue_a_fit(tmp_path: Path) -> None:
    rows = world(tmp_path / "a")
    one = fitting._fingerprint(rows, SMALL)
    assert one == fitting._fingerprint(world(tmp_path / "a"), SMALL)
    assert one != fitting._fingerprint(rows, SMALL.replace(seed=18))
    rows.labels[3, 1] ^= 1
    assert one != fitting._fingerprint(rows, SMALL)


def test_odd_features_and_no_eval_split_are_safe(tmp_path: Path) -> None:
    rows = world(tmp_path)
    rows.split[rows.split == 2] = 1
    rows.features[::7, 2] = np.nan
    rows.features[::11, 4] = np.inf
    fitted = fit_ranker(rows, SMALL)
    assert np.all(np.isfinite(fitted.model(rows.features).numpy()))
    assert np.isfinite(fitted.history["final"]["epochs"][-1]["loss"])
    assert fitted.history["validation"] == {}
    assert len(fitted.history["final"]["epochs"]) == SMALL.epochs


def test_impossible_requests_are_refused(tmp_path: Path) -> None:
    rows = world(tmp_path)
    with pytest.raises(ConfigError, match="target_event"):
        fit_ranker(rows, SMALL.replace(target_event="cart"))
    with pytest.raises(ConfigError, match="event_weights"):
        fit_ranker(rows, SMALL.replace(event_weights=(1.0,)))
    nothing = dataclasses.replace(rows, split=np.full_like(rows.split, 2))
    with pytest.raises(ArtifactError, match="train"):
        fit_ranker(nothing, SMALL)


def test_padded_rows_change_nothing(tmp_path: Path) -> None:
    rows = world(tmp_path)
    tf.keras.utils.set_random_seed(1)
    runs = fitting._RankerFit(rows, SMALL.replace(dropout=0.0), None, None)
    rng = np.random.default_rng(0)
    x = rng.normal(size=[2, 6, 5]).astype(np.float32)
    y = rng.integers(0, 2, [2, 6, 2]).astype(np.uint8)
    mask = np.arange(6)[None].repeat(2, 0) < 4
    owned = np.zeros([2, 6], bool)
    found = []
    for cut in (6, 4):
        fit = runs._new_fit("mlp", rows.moments("train")[:2])
        fit.step(
            x[:, :cut],
            y[:, :cut],
            owned[:, :cut],
            mask[:, :cut],
            np.float32(y[:, :cut, 0]),
        )
        found.append(fit.weights())
    # Adam's first step moves a weight by the learning rate, 1e-3, whatever its
    # gradient: where that is 0 but for the last bits (a bias of all rows), by noise.
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)
