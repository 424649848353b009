"""What TF-MOT rounds in training, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras

from core.config.ranker import RankerConfig
from trainer.compression.quantization_aware import quantizable, take_weights
from trainer.ranker.model import build_ranker

CONFIG = RankerConfig(
    hidden_units=(8, 2), sharing="mmoe", num_experts=2, num_crosses=1, dropout=0.0
)
# Numbers that 8 bits of a range of -6 to 6 do not hold: .25 * 4 + .75 * .01 = 1.0075
GATE = np.array([[0.25, 0.75]], np.float32)
FIRST, SECOND = np.array([[4.0, 8.0]], "f"), np.array([[0.01, 4.0]], "f")
MIXED = [[1.0075, 5.0]]


def model_of(architecture: str) -> tf_keras.Model:
    tf_keras.utils.set_random_seed(3)
    return build_ranker(
        num_features=6,
        event_types=("view", "purchase"),
        config=CONFIG,
        architecture=architecture,
    )


@pytest.mark.parametrize("architecture", ["mlp", "dcn"])
def test_a_mixture_of_experts_is_rounded_but_for_its_gated_sums(architecture) -> None:
    aware = quantizable(model_of(architecture))
    for head in ("score", "view", "purchase"):
        mixed = aware.get_layer(f"quant_mixture_{head}")
        np.testing.assert_allclose(mixed([GATE, FIRST, SECOND]), MIXED, rtol=1e-6)
    # All Dense layers: a trunk, two experts, three gates and heads, dcn's cross.
    kernels = [w for w in aware.trainable_weights if "kernel" in w.name]
    assert len(kernels) == 1 + 2 + 3 + 3 + (architecture == "dcn")


@pytest.mark.parametrize("architecture", ["mlp", "dcn"])
def test_untrained_it_gives_back_the_weights_that_it_took(architecture) -> None:
    model = model_of(architecture)
    before = [weight.copy() for weight in model.get_weights()]
    aware = quantizable(model)
    model.set_weights([np.ones_like(weight) for weight in before])
    take_weights(model, aware)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
