"""Each layer: call, config round trip, save and reload; and what each one promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trainer  # noqa: F401  (sets TF_USE_LEGACY_KERAS)

import tensorflow as tf  # isort: skip

from trainer.layers.cnn_history import CnnHistory
from trainer.layers.gru_history import GruHistory
from trainer.layers.history_encoder import HistoryEncoder, age_buckets
from trainer.layers.item_encoder import ItemEncoder
from trainer.layers.masked_embedding import MaskedEmbedding
from trainer.layers.mean_history import MeanHistory
from trainer.layers.towers import ResidualTower
from trainer.layers.transformer_history import TransformerHistory
from trainer.preprocessing import names

B, H, D = 3, 5, 4
VECTORS = np.random.default_rng(0).normal(size=(B, H, D)).astype(np.float32)
VALID = np.array([[0, 0, 1, 1, 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], bool)
SLOTS = np.zeros((B, H), np.int32)
ITEMS = {
    names.ITEM_ID: np.array([1, 2, 0], np.int32),
    names.TITLE_TOKENS: np.array([[1, 2], [3, 0], [0, 0]], np.int32),
    names.LOG_PRICE: np.array([0.5, -0.5, 0.0], np.float32),
}
ITEM_SIZES = {names.ITEM_ID: 2, names.TITLE_TOKENS: 3}
TEXTS = {names.TEXT_VECTOR: np.eye(3, 6, dtype=np.float32)}
ENCODERS = ("mean", "gru", "cnn", "transformer")

CASES: list[tuple[tf.keras.layers.Layer, tuple[Any, ...]]] = [
    (MaskedEmbedding(num_ids=3, dim=D), (np.array([0, 3, 9], np.int32),)),
    (ItemEncoder(sizes=ITEM_SIZES, dim=D, content_dim=2), (ITEMS,)),
    (
        ItemEncoder(sizes=ITEM_SIZES, dim=D, content_dim=2, text_dim=6),
        (ITEMS | TEXTS,),
    ),
    (MeanHistory(), (VECTORS, VALID)),
    (GruHistory(dim=D), (VECTORS, VALID)),
    (CnnHistory(dim=D), (VECTORS, VALID)),
    (TransformerHistory(dim=D, max_history=H), (VECTORS, VALID)),
    (
        TransformerHistory(dim=D, max_history=H, num_layers=3, shared=True),
        (VECTORS, VALID),
    ),
    *(
        (
            HistoryEncoder(kind=kind, dim=D, num_events=2, max_history=H),
            (VECTORS, SLOTS, SLOTS, VALID),
        )
        for kind in ENCODERS
    ),
    (ResidualTower(dim=D, hidden_dim=6), (VECTORS[:, 0], VECTORS[:, 1])),
]


def _call(layer: tf.keras.layers.Layer, inputs: tuple[Any, ...]) -> np.ndarray:
    return layer(*tf.nest.map_structure(tf.constant, inputs)).numpy()


@pytest.mark.parametrize(("layer", "inputs"), CASES)
def test_layer_gives_one_vector_per_row(
    layer: tf.keras.layers.Layer, inputs: tuple[Any, ...]
) -> None:
    out = _call(layer, inputs)
    assert out.shape == (3, D)
    assert np.isfinite(out).all()


@pytest.mark.parametrize(("layer", "inputs"), CASES)
def test_config_round_trip_keeps_the_answer(
    layer: tf.keras.layers.Layer, inputs: tuple[Any, ...]
) -> None:
    expected = _call(layer, inputs)
    config = tf.keras.layers.serialize(layer)
    twin = tf.keras.layers.deserialize(config)
    _call(twin, inputs)
    twin.set_weights(layer.get_weights())
    np.testing.assert_allclose(_call(twin, inputs), expected, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("layer", "inputs"), CASES)
def test_saved_and_reloaded_layer_answers_the_same(
    layer: tf.keras.layers.Layer, inputs: tuple[Any, ...], tmp_path: Path
) -> None:
    expected = _call(layer, inputs)
    module = tf.Module()
    module.layer = layer
    module.answer = tf.function(layer.__call__)
    tensors = tf.nest.map_structure(tf.constant, inputs)
    module.answer.get_concrete_function(*tensors)
    tf.saved_model.save(module, str(tmp_path))
    reloaded = tf.saved_model.load(str(tmp_path))
    np.testing.assert_allclose(reloaded.answer(*tensors), expected, atol=1e-5)


@pytest.mark.parametrize("kind", ENCODERS)
def test_padding_does_not_change_a_history(kind: str) -> None:
    encoder = HistoryEncoder(kind=kind, dim=D, num_events=2, max_history=H)
    padded = _call(encoder, (VECTORS, SLOTS, SLOTS, VALID))
    noise = np.where(VALID[..., None], VECTORS, 7.0).astype(np.float32)
    np.testing.assert_allclose(
        _call(encoder, (noise, SLOTS, SLOTS, VALID)), padded, atol=1e-5
    )
    newest = np.s_[:1, 2:]
    short = _call(
        encoder, (VECTORS[newest], SLOTS[newest], SLOTS[newest], VALID[newest])
    )
    np.testing.assert_allclose(short[0], padded[0], atol=1e-5)


@pytest.mark.parametrize("kind", ENCODERS)
def test_empty_history_is_the_zero_vector(kind: str) -> None:
    encoder = HistoryEncoder(kind=kind, dim=D, num_events=2, max_history=H)
    np.testing.assert_array_equal(
        _call(encoder, (VECTORS, SLOTS, SLOTS, VALID))[1], np.zeros(D)
    )


def test_mean_history_is_the_mean_of_valid_slots() -> None:
    out = _call(MeanHistory(), (VECTORS, VALID))
    np.testing.assert_allclose(out[0], VECTORS[0, 2:].mean(0), atol=1e-6)


def test_age_buckets_by_hand() -> None:
    # log2(1 + age / 900 s): 0 s -> 0, 900 s -> log2(2) = 1, a day = 96 quarters ->
    # log2(97) = 6.6, ten years beyond the last bucket; a later slot counts as age 0.
    now = tf.constant([86_400 * 3650], tf.int64)
    ages = tf.constant([[0, 900, 86_400, 86_400 * 3650, -5]], tf.int64)
    buckets = age_buckets(now, now[:, None] - ages)
    assert buckets.numpy().tolist() == [[0, 1, 6, 15, 0]]


def test_unknown_id_leaves_content_alone() -> None:
    encoder = ItemEncoder(sizes=ITEM_SIZES, dim=D, content_dim=2)
    known = {**ITEMS, names.ITEM_ID: np.array([1, 1, 1], np.int32)}
    unknown = {**ITEMS, names.ITEM_ID: np.array([0, 0, 0], np.int32)}
    difference = _call(encoder, (known,)) - _call(encoder, (unknown,))
    id_vector = encoder.id_embedding.table.numpy()[1]
    np.testing.assert_allclose(difference, np.tile(id_vector, (3, 1)), atol=1e-6)


def test_hidden_ids_only_in_training() -> None:
    encoder = ItemEncoder(sizes=ITEM_SIZES, dim=D, content_dim=2, id_dropout=0.999)
    tensors = tf.nest.map_structure(tf.constant, ITEMS)
    serving = encoder(tensors).numpy()
    training = encoder(tensors, training=True).numpy()
    assert not np.allclose(serving[0], training[0])
    np.testing.assert_allclose(serving[2], training[2], atol=1e-6)  # no id to hide


def test_tower_is_normalized() -> None:
    out = _call(ResidualTower(dim=D, hidden_dim=6), (VECTORS[:, 0], VECTORS[:, 1]))
    np.testing.assert_allclose(np.linalg.norm(out, axis=1), np.ones(3), atol=1e-5)


def test_text_vectors_place_items_without_an_id() -> None:
    # Without id, title and price the item vector is text P + MLP(text P): equal texts
    # meet, opposite ones do not; without any text the vector is zero.
    layer = ItemEncoder(sizes=ITEM_SIZES, dim=D, content_dim=2, text_dim=6)
    text = np.array([[1, 0, 0, 0, 0, 0]] * 2 + [[-1, 0, 0, 0, 0, 0], [0] * 6])
    items = {
        names.ITEM_ID: np.zeros(4, np.int32),
        names.TITLE_TOKENS: np.zeros((4, 2), np.int32),
        names.LOG_PRICE: np.zeros(4, np.float32),
        names.TEXT_VECTOR: text.astype(np.float32),
    }
    vectors = _call(layer, (items,))
    projected = text.astype(np.float32) @ layer.text_projection.kernel.numpy()
    hidden, last = layer.hidden, layer.projection
    content = np.zeros((4, 3 + D), np.float32)  # title, price, text
    content[:, 3:] = projected
    mlp = np.maximum(content @ hidden.kernel.numpy() + hidden.bias.numpy(), 0)
    np.testing.assert_allclose(
        vectors, projected + mlp @ last.kernel.numpy(), atol=1e-6
    )
    assert (vectors[0] == vectors[1]).all() and (vectors[3] == 0).all()
    assert np.abs(vectors[0] - vectors[2]).max() > 0.1


def test_an_encoder_without_text_does_not_look_at_it() -> None:
    layer = ItemEncoder(sizes=ITEM_SIZES, dim=D, content_dim=2)
    np.testing.assert_array_equal(
        _call(layer, (ITEMS,)), _call(layer, (ITEMS | TEXTS,))
    )
    assert not any("text" in weight.name for weight in layer.weights)
