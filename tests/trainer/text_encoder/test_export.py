"""The SavedModel: parity, a process with TensorFlow alone, a bundle around it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from core.config.text_encoder import TextEncoderConfig
from trainer.text_encoder.encoder import TextEncoder, new_encoder
from trainer.text_encoder.export import (
    TextEncoderExport,
    embed_in_batches,
    save_text_encoder,
)
from trainer.text_encoder.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

pytestmark = pytest.mark.slow

CONFIG = TextEncoderConfig.tiny().replace(output_dim=16, max_query_tokens=4)
VOCABULARY = [*SPECIAL_TOKENS, "red", "blue", "sofa", "jug", "茶", "##s", "r", "##e"]
TEXTS = ["red sofas", "", "茶 jug, blue!", "red " * 500, "🎉"]
PLAIN_PROCESS = """
import sys
import numpy as np
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
texts = tf.constant(sys.argv[3:])
np.save(sys.argv[2], model.embed_queries(texts).numpy())
by_name = model.signatures["embed_items"](texts=texts)
assert [v.shape[1] for v in by_name.values()] == [16]
loaded = [n for n in sys.modules if n.split(".")[0] in (
    "keras_nlp", "keras_hub", "tensorflow_text", "trainer")]
assert not loaded, loaded
"""


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return new_encoder(len(VOCABULARY), CONFIG)


@pytest.fixture(scope="module")
def export(encoder: TextEncoder) -> TextEncoderExport:
    return TextEncoderExport(encoder, WordPieceTokenizer(VOCABULARY), CONFIG)


@pytest.fixture(scope="module")
def saved(export: TextEncoderExport, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("encoder") / "model"
    save_text_encoder(export, folder)
    return folder


def test_vectors_have_norm_one_and_empty_texts_none(export) -> None:
    norms = np.linalg.norm(export.embed_queries(tf.constant(TEXTS)), axis=1)
    np.testing.assert_allclose(norms, [1, 0, 1, 1, 0], atol=1e-5)


def test_of_words_in_a_script_that_the_shop_lacks_nothing_is_said(export) -> None:
    texts = ["قهوة", "чашка", "ψψψ", "🎉 !", "red قهوة"]
    norms = np.linalg.norm(export.embed_queries(tf.constant(texts)), axis=1)
    np.testing.assert_allclose(norms, [0, 0, 0, 0, 1], atol=1e-5)


def test_padding_does_not_change_a_vector(encoder) -> None:
    ids = np.array([[5, 7, 10]], np.int32)
    padded = np.array([[5, 7, 10, 0, 0, 0], [5, 5, 6, 6, 7, 7]], np.int32)
    alone, beside = encoder(tf.constant(ids)), encoder(tf.constant(padded))
    np.testing.assert_allclose(alone[0], beside[0], atol=1e-5)
    shorter = encoder(tf.constant(ids[:, :2]))
    assert np.abs(alone[0] - shorter[0]).max() > 1e-3


def test_queries_and_items_are_cut_at_their_own_length(export) -> None:
    four, five = tf.constant(["red red red red"]), tf.constant(["red red red red sofa"])
    np.testing.assert_allclose(export.embed_queries(four), export.embed_queries(five))
    assert np.abs(export.embed_items(four) - export.embed_items(five)).max() > 1e-3


def test_a_process_with_tensorflow_alone_answers_the_same(
    export, saved, tmp_path
) -> None:
    out = tmp_path / "vectors.npy"
    subprocess.run(
        [sys.executable, "-c", PLAIN_PROCESS, str(saved), str(out), *TEXTS],
        check=True,
        timeout=300,
        cwd=tmp_path,
    )
    expected = export.embed_queries(tf.constant(TEXTS))
    np.testing.assert_allclose(np.load(out), expected, atol=1e-5)


def test_the_loaded_encoder_can_be_saved_inside_a_bundle(
    export, saved, tmp_path
) -> None:
    bundle = tf.Module()
    bundle.encoder = tf.saved_model.load(str(saved))
    bundle.search = tf.function(
        lambda query: bundle.encoder.embed_queries(query) * 2.0,
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    tf.saved_model.save(bundle, str(tmp_path / "bundle"))
    again = tf.saved_model.load(str(tmp_path / "bundle"))
    np.testing.assert_allclose(
        again.search(tf.constant(TEXTS)),
        2.0 * export.embed_queries(tf.constant(TEXTS)),
        atol=1e-5,
    )


def test_the_served_graph_has_core_ops_only(saved) -> None:
    parsed = saved_model_pb2.SavedModel()
    parsed.ParseFromString((saved / "saved_model.pb").read_bytes())
    library = parsed.meta_graphs[0].graph_def.library
    ops = {node.op for function in library.function for node in function.node_def}
    assert ops and not {op for op in ops if ">" in op}  # as TFText>WordpieceTokenize


def test_bulk_vectors_come_in_the_order_of_the_texts(export) -> None:
    texts = [*TEXTS, "blue", "red jug"]
    found = embed_in_batches(export.embed_items, texts, batch_size=3)
    for text, vector in zip(texts, found, strict=True):
        alone = export.embed_items(tf.constant([text]))[0]
        np.testing.assert_allclose(vector, alone, atol=1e-5)
    assert embed_in_batches(export.embed_items, []).shape == (0, 16)
