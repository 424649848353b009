"""A compressed ranker's probabilities, in a world where the true ones are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from core.config.compress import CompressConfig
from core.config.ranker import RankerConfig
from trainer.compression.compress_ranker import compress_ranker
from trainer.compression.recalibrate import recalibrated
from trainer.ranker.dataset import CandidateRows
from trainer.ranker.fit import FittedRanker, fit_ranker

pytestmark = pytest.mark.slow  # rankers are fitted

EVENTS = ("view", "purchase")
CONFIG = RankerConfig(
    hidden_units=(32, 16),
    epochs=8,
    learning_rate=0.01,
    pointwise_weight=1.0,
    moments_per_batch=16,
    rows_per_moment=20,
    calibration="platt",  # the world's probabilities are logistic
)
F, ROWS = 10, 20
HALF = CompressConfig(
    sparsity=("trunk_*=0.5", "bottom_*=0.5"),
    quantization_aware=True,
    # Fast enough for what is taught to show.
    pruning_epochs=2,
    learning_rate_share=0.5,
)


def _true_probabilities(features: np.ndarray) -> np.ndarray:
    """[N, 2]: a view depends on the first feature, a purchase on the next two."""
    logits = np.stack(
        [1.5 * features[:, 0] - 0.5, 2.0 * features[:, 1] - features[:, 2] - 1.5], 1
    )
    return 1.0 / (1.0 + np.exp(-logits))


def _world(seed: int, moments: int = 300) -> CandidateRows:
    random = np.random.default_rng(seed)
    # Inside the normalizer's logarithm and clip nothing is lost of such numbers.
    features = random.uniform(-2, 2, (moments * ROWS, F)).astype(np.float32)
    labels = random.random((len(features), 2)) < _true_probabilities(features)
    return CandidateRows(
        features=features,
        labels=labels.astype("u1"),
        owned=np.zeros(len(features), bool),
        starts=np.arange(0, len(features) + 1, ROWS),
        truth_size=labels.reshape(moments, ROWS, 2).sum(1).astype(np.int32),
        cutoff=np.where(np.arange(moments) % 3, 100, 200).astype(np.int64),
        split=np.where(np.arange(moments) % 3, 0, 2).astype(np.int8),
        feature_names=tuple(f"f{i}" for i in range(F)),
        event_types=EVENTS,
    )


@pytest.fixture(scope="module")
def ranker() -> FittedRanker:
    return fit_ranker(_world(0), CONFIG)


def _probabilities(fitted: FittedRanker, features: np.ndarray) -> np.ndarray:
    """[N, 2] calibrated, as served."""
    normal = features.copy()
    fitted.normalizer.apply_in_place(normal)
    logits = fitted.model(normal).numpy()[:, 1:]  # the first is the score
    columns = [c.apply(logits[:, i]) for i, c in enumerate(fitted.calibrators)]
    return np.stack(columns, axis=1)


def _pairs_won(labels: np.ndarray, values: np.ndarray) -> float:
    """AUC by its definition: the share of pairs in which the positive is higher."""
    gaps = values[labels == 1][:, None] - values[labels == 0]
    return float((gaps > 0).mean() + (gaps == 0).mean() / 2)


def _gap(found: np.ndarray, true: np.ndarray) -> float:
    """Calibration error: rows of like probability should have it on the average."""
    tenths = np.array_split(np.argsort(found), 10)
    return float(np.mean([abs((found - true)[rows].mean()) for rows in tenths]))


def test_a_pruned_ranker_keeps_each_events_probability(ranker: FittedRanker) -> None:
    smaller, facts = compress_ranker(ranker, _world(0), HALF)
    assert facts["after"]["zero_share"]["trunk_0"] == 0.5
    fresh = _world(1, moments=150)
    true = _true_probabilities(fresh.features)
    found, before = (_probabilities(r, fresh.features) for r in (smaller, ranker))
    for i in range(len(EVENTS)):
        # No ranker can do better than the true probabilities.
        best = _pairs_won(fresh.labels[:, i], true[:, i])
        assert _pairs_won(fresh.labels[:, i], found[:, i]) > best - 0.02
        assert _gap(found[:, i], true[:, i]) < _gap(before[:, i], true[:, i]) + 0.01
        assert _gap(found[:, i], true[:, i]) < 0.06


def test_probabilities_come_from_the_teacher_whatever_the_labels_say(
    ranker: FittedRanker,
) -> None:
    rows = _world(0)
    nothing = np.zeros_like(rows.labels)  # as if nobody did anything any more
    asked = _world(1, moments=50).features
    wanted = _probabilities(ranker, asked)

    def gap(**changes: float) -> float:
        misled = dataclasses.replace(
            rows, features=rows.features.copy(), labels=nothing
        )
        config = HALF.replace(quantization_aware=False, **changes)
        smaller, _ = compress_ranker(ranker, misled, config)
        # Of the logits: the calibrators would take back a common shift.
        plain = dataclasses.replace(smaller, calibrators=ranker.calibrators)
        return float(np.abs(_probabilities(plain, asked) - wanted).mean())

    taught = gap()
    untaught = gap(probability_weight=0.0, label_weight=1.0)
    assert taught < 0.05
    assert untaught > 0.2


def test_calibrators_give_the_teachers_probabilities_back(ranker: FittedRanker) -> None:
    random = np.random.default_rng(5)
    taught = random.normal(size=(20_000, 2)).astype(np.float32)
    # The compressed ranker says half as much, and a little more to everything.
    logits = 0.5 * taught + np.float32([1.0, -2.0])
    found = recalibrated(ranker, taught, logits)
    for i, calibrator in enumerate(found):
        wanted = ranker.calibrators[i].apply(taught[:, i])
        gaps = np.abs(calibrator.apply(logits[:, i]) - wanted)
        assert gaps.mean() < 0.01
        as_before = ranker.calibrators[i].apply(logits[:, i])
        assert np.abs(as_before - wanted).mean() > 0.1
