"""A layer that changes nothing is dropped first, and nobody misses it."""

from __future__ import annotations

import keras
import keras_nlp
import numpy as np
import pytest
import tensorflow as tf

from core.config.text_encoder import TextEncoderConfig
from core.errors import ConfigError
from tests.trainer.text_encoder import bert_oracle, worlds
from tests.trainer.text_encoder.test_preset import VOCABULARY
from trainer.text_encoder.encoder import TextEncoder
from trainer.text_encoder.fit import fit_text_encoder
from trainer.text_encoder.prune_layers import (
    keep_layers,
    layer_importances,
    most_important,
)

pytestmark = pytest.mark.slow

IDS = np.array([[2, 5, 7, 3, 0], [2, 6, 3, 0, 0], [2, 8, 9, 4, 3]], np.int32)
IDLE = 1


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    """Three layers; one adds zero twice, and normalizes what is normalized already."""
    keras.utils.set_random_seed(3)
    backbone = keras_nlp.models.BertBackbone(
        vocabulary_size=12,
        num_layers=3,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        dropout=0.0,
        max_sequence_length=8,
    )
    rng = np.random.default_rng(4)
    for layer in backbone.transformer_layers:
        layer._feedforward_intermediate_dense.activation = keras.activations.gelu
        for part in (
            layer._self_attention_layer.value_dense,
            layer._self_attention_layer.output_dense,
            layer._feedforward_intermediate_dense,
            layer._feedforward_output_dense,
        ):
            part.kernel.assign(rng.normal(0, 0.7, part.kernel.shape))
    idle = backbone.transformer_layers[IDLE]
    for part in (
        idle._self_attention_layer.output_dense,
        idle._feedforward_output_dense,
    ):
        part.kernel.assign(np.zeros(part.kernel.shape))
        part.bias.assign(np.zeros(part.bias.shape))
    return TextEncoder(backbone)


def test_importance_is_how_far_a_layer_turns_vectors(encoder: TextEncoder) -> None:
    found = layer_importances(encoder, IDS)
    assert found[IDLE] == pytest.approx(0.0, abs=1e-6)
    # By hand, of the encoders that end after one and after three layers.
    first, last = (
        np.asarray(keep_layers(encoder, kept).hidden(tf.constant(IDS)))[IDS > 0]
        for kept in ([0, IDLE], [0, IDLE, 2])
    )
    cosines = np.sum(first * last, -1)
    cosines /= np.linalg.norm(first, axis=-1) * np.linalg.norm(last, axis=-1)
    assert found[2] == pytest.approx(1.0 - cosines.mean(), abs=1e-5)
    assert found[2] > 0.05


def test_the_idle_layer_goes_and_vectors_stay(encoder: TextEncoder) -> None:
    kept = most_important(layer_importances(encoder, IDS), 2)
    assert kept == [0, 2]
    smaller = keep_layers(encoder, kept)
    assert len(smaller.backbone.transformer_layers) == 2
    np.testing.assert_allclose(
        smaller(tf.constant(IDS)), encoder(tf.constant(IDS)), atol=1e-5
    )


def test_padding_does_not_count(encoder: TextEncoder) -> None:
    padded = np.pad(IDS, [(0, 0), (0, 3)])
    np.testing.assert_allclose(
        layer_importances(encoder, IDS), layer_importances(encoder, padded), atol=1e-5
    )


def test_a_preset_is_tuned_with_the_layers_that_are_kept(tmp_path) -> None:
    folder = tmp_path / "bert"
    bert_oracle.write_hugging_face(folder, VOCABULARY)
    config = TextEncoderConfig.pretrained(str(folder), "lora").replace(
        max_item_tokens=12, max_query_tokens=8, kept_layers=1
    )
    fitted = fit_text_encoder(
        worlds.items(), worlds.events(), config, before=worlds.BEFORE
    )
    layers = fitted.report["layers"]
    assert len(layers["importances"]) == 2
    assert layers["kept"] == [int(np.argmax(layers["importances"]))]
    whole = fit_text_encoder(
        worlds.items(),
        worlds.events(),
        config.replace(kept_layers=0, mode="frozen"),
        before=worlds.BEFORE,
    )
    assert whole.report["layers"] == {"kept": [0, 1]}
    # A layer: four 8 x 8 kernels, 8 x 16 and back, their biases, two norms.
    layer = 4 * (64 + 8) + (128 + 16) + (128 + 8) + 4 * 8
    totals = [f.report["parameters"]["total"] for f in (whole, fitted)]
    assert totals[0] - totals[1] == layer


def test_more_layers_than_there_are_is_an_error(tmp_path) -> None:
    folder = tmp_path / "bert"
    bert_oracle.write_hugging_face(folder, VOCABULARY)
    config = TextEncoderConfig.pretrained(str(folder), "frozen").replace(
        max_item_tokens=12, max_query_tokens=8, kept_layers=3
    )
    with pytest.raises(ConfigError, match="at most 2"):
        fit_text_encoder(worlds.items(), worlds.events(), config, before=worlds.BEFORE)


def test_layers_are_dropped_from_a_preset_only() -> None:
    with pytest.raises(ConfigError, match="kept_layers"):
        TextEncoderConfig(kept_layers=1)
