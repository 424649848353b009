"""What TF-MOT leaves of a ranker: real zeros, smaller kernels, the same order."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tf_keras

from core.config.compress import CompressConfig
from core.config.ranker import RankerConfig
from trainer.compression.compress_ranker import compress_ranker
from trainer.compression.neurons import drop_neurons
from trainer.compression.prune import prunable
from trainer.export.ranker_export import load_fitted, save_ranker
from trainer.ranker.calibration import Calibrator
from trainer.ranker.dataset import CandidateRows
from trainer.ranker.fit import FittedRanker
from trainer.ranker.model import build_ranker
from trainer.ranker.normalization import Normalizer

EVENTS = ("view", "purchase")
CONFIG = RankerConfig(hidden_units=(32, 16), epochs=2, moments_per_batch=8)
F, MOMENTS, ROWS = 12, 60, 10


def _model(config: RankerConfig, architecture: str = "mlp") -> tf_keras.Model:
    tf_keras.utils.set_random_seed(2)
    return build_ranker(
        num_features=F,
        event_types=EVENTS,
        config=config.replace(dropout=0.0),
        architecture=architecture,
    )


def _rows() -> CandidateRows:
    random = np.random.default_rng(4)
    features = random.normal(size=(MOMENTS * ROWS, F)).astype(np.float32)
    bought = features[:, 0] > 0.8  # one feature decides
    return CandidateRows(
        features=features,
        labels=np.stack([bought | (features[:, 1] > 1), bought], axis=1).astype("u1"),
        owned=np.zeros(len(features), bool),
        starts=np.arange(0, len(features) + 1, ROWS),
        truth_size=np.full((MOMENTS, len(EVENTS)), 3, np.int32),
        cutoff=np.full(MOMENTS, 100, np.int64),
        split=np.where(np.arange(MOMENTS) < 45, 0, 2).astype(np.int8),
        feature_names=tuple(f"f{i}" for i in range(F)),
        event_types=EVENTS,
    )


def _fitted(config: RankerConfig = CONFIG, architecture: str = "mlp") -> FittedRanker:
    return FittedRanker(
        model=_model(config, architecture),
        architecture=architecture,
        config=config,
        normalizer=Normalizer(
            mean=np.zeros(F, np.float32), inverse_std=np.ones(F, np.float32)
        ),
        calibrators=(Calibrator(), Calibrator()),
        feature_names=tuple(f"f{i}" for i in range(F)),
        event_types=EVENTS,
        history={},
    )


def _features(count: int = 200) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(count, F)).astype(np.float32)


@pytest.mark.parametrize(
    ("architecture", "sharing"), [("mlp", "shared_bottom"), ("dcn", "mmoe")]
)
def test_neurons_that_never_speak_go_first_and_change_nothing(
    architecture: str, sharing: str
) -> None:
    config = CONFIG.replace(sharing=sharing)
    model = _model(config, architecture)
    # Half of the first layer's neurons lead nowhere; so do half of the last one's.
    for layer in model.layers:
        if not layer.weights:
            continue
        if layer.name == "bottom_0" or layer.name.startswith("expert_"):
            kernel, bias = layer.get_weights()
            kernel[1::2] = 0.0
            layer.set_weights([kernel, bias])
        if layer.name.startswith("head_"):
            kernel, bias = layer.get_weights()
            kernel[: config.hidden_units[-1] : 2] = 0.0
            layer.set_weights([kernel, bias])
    smaller, found = drop_neurons(
        model,
        _features(),
        config=config,
        event_types=EVENTS,
        architecture=architecture,
        kept_share=0.5,
    )
    assert found.hidden_units == (16, 8)
    assert smaller.count_params() < model.count_params()
    asked = _features(50)
    np.testing.assert_allclose(smaller(asked), model(asked), atol=1e-5)


def test_a_model_wrapped_for_pruning_starts_as_it_was() -> None:
    model = _model(CONFIG)
    wrapped = prunable(model, (("trunk_*", 0.5),), steps=10)
    asked = _features(20)
    np.testing.assert_allclose(wrapped(asked), model(asked), atol=1e-6)


@pytest.mark.slow
def test_pruned_weights_are_zeros_that_fine_tuning_for_8_bits_keeps(tmp_path) -> None:
    config = CompressConfig(
        kept_neurons=0.5,
        sparsity=("trunk_*=0.5", "bottom_*=0.25"),
        pruning_epochs=3,
        quantization_aware=True,
        label_weight=1.0,
    )
    smaller, facts = compress_ranker(_fitted(), _rows(), config)
    save_ranker(smaller, tmp_path)
    read = load_fitted(tmp_path)  # from the file
    shares = {
        name: float((read.model.get_layer(name).get_weights()[0] == 0).mean())
        for name in ("trunk_0", "bottom_0", "head_score")
    }
    # 12 x 16 and 16 x 8 kernels: half, and a quarter, of their numbers.
    assert shares == {"trunk_0": 0.5, "bottom_0": 0.25, "head_score": 0.0}
    assert facts["after"]["zero_share"]["trunk_0"] == 0.5
    assert facts["after"]["parameters"] < facts["before"]["parameters"] / 2
    assert list(facts["phases"]) == ["recovery", "pruning", "quantization"]
    # Weights went on learning after they were pruned.
    losses = [epoch["loss"] for epoch in facts["phases"]["pruning"]]
    assert losses[-1] < losses[0]


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["mlp", "dcn"])
def test_a_mixture_of_experts_is_pruned_fine_tuned_for_8_bits_and_saved(
    architecture: str, tmp_path
) -> None:
    config = CompressConfig(
        sparsity=("expert_*=0.5",), pruning_epochs=3, quantization_aware=True
    )
    fitted = _fitted(CONFIG.replace(sharing="mmoe", num_experts=2), architecture)
    smaller, facts = compress_ranker(fitted, _rows(), config)
    save_ranker(smaller, tmp_path)
    read = load_fitted(tmp_path)  # from the file
    for name in ("expert_0_0", "expert_1_0"):  # 32 x 16: half of their numbers
        kernel = read.model.get_layer(name).get_weights()[0]
        assert (kernel == 0).sum() == 256
    assert list(facts["phases"]) == ["pruning", "quantization"]
    np.testing.assert_allclose(
        read.model(_features(20)), smaller.model(_features(20)), atol=1e-6
    )


@pytest.mark.slow
def test_two_of_four_leaves_two_zeros_in_each_four_weights() -> None:
    config = CompressConfig(sparsity=("trunk_*=0.5",), two_of_four=True)
    smaller, _ = compress_ranker(_fitted(), _rows(), config)
    kernel = smaller.model.get_layer("trunk_0").get_weights()[0]  # [12, 32]
    groups = (kernel.T.reshape(-1, 4) == 0).sum(axis=1)
    assert (groups == 2).all()


@pytest.mark.slow
def test_a_teacher_draws_the_pupil_to_its_order() -> None:
    teacher = _fitted(CONFIG.replace(learning_rate=0.02))
    rows = _rows()
    # Labels say nothing: all there is to learn is the teacher.
    rows = dataclasses.replace(rows, labels=np.zeros_like(rows.labels))
    asked = _features()
    wanted = teacher.model(asked).numpy()[:, 0]

    def agreement(weight: float) -> float:
        config = CompressConfig(
            distillation_weight=weight,
            probability_weight=0.0,
            label_weight=1.0,
            kept_neurons=0.5,
            recovery_epochs=8,
        )
        pupil, _ = compress_ranker(teacher, dataclasses.replace(rows), config)
        scores = pupil.model(asked).numpy()[:, 0]
        return float(np.corrcoef(scores, wanted)[0, 1])

    assert agreement(10.0) > 0.8 > agreement(0.0)
