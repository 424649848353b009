"""The small functions of preprocessing on eager tensors."""

from __future__ import annotations

import datetime

import trainer  # noqa: F401  (sets TF_USE_LEGACY_KERAS)

import tensorflow as tf  # isort: skip

from trainer.preprocessing.categories import category_prefixes
from trainer.preprocessing.columns import context_values, densify, sparsify
from trainer.preprocessing.text import normalize_text, pad_tokens, tokenize
from trainer.preprocessing.times import day_of_week, hour_of_day


def _tokens(text: str) -> list[str]:
    return [t.decode() for t in tokenize(tf.constant([text])).to_list()[0]]


def test_words_of_several_scripts() -> None:
    assert _tokens("RED Mug, 2-pack!") == ["red", "mug", "2", "pack"]
    assert _tokens("红色Mug杯") == ["红", "色", "mug", "杯"]
    assert _tokens("Größe ÉTÉ") == ["größe", "été"]
    assert _tokens("ＡＢＣ１２　ｘ") == ["abc12", "x"]  # full-width signs and space
    assert _tokens(" -- ") == []
    assert _tokens("") == []


def test_broken_utf8_is_no_error() -> None:
    text = normalize_text(tf.constant([b"mug \xff\xfe cup"]))
    assert text.numpy().tolist() == [b"mug cup"]


def test_tokens_are_cut_and_padded() -> None:
    ids = tf.ragged.constant([[1, 2, 3], [], [4]], dtype=tf.int64)
    assert pad_tokens(ids, 2).numpy().tolist() == [[1, 2], [0, 0], [4, 0]]


def test_category_prefixes_stop_where_the_path_ends() -> None:
    paths = tf.constant(["Home > Kitchen > Mugs > Red", "Home", ""])
    assert category_prefixes(paths, 3).numpy().tolist() == [
        [b"Home", b"Home > Kitchen", b"Home > Kitchen > Mugs"],
        [b"Home", b"", b""],
        [b"", b"", b""],
    ]


def test_time_parts_agree_with_the_calendar() -> None:
    for text in ("2011-12-09 23:59:59", "1970-01-01 00:00:00", "2024-02-29 12:00:00"):
        moment = datetime.datetime.fromisoformat(text + "+00:00")
        seconds = tf.constant([int(moment.timestamp())], tf.int64)
        assert hour_of_day(seconds).numpy()[0] == moment.hour
        assert day_of_week(seconds).numpy()[0] == moment.weekday()


def test_densify_fills_gaps_in_sparse_ragged_and_dense_columns() -> None:
    sparse = tf.SparseTensor([[1, 0], [3, 0], [3, 1]], ["a", "b", "c"], [5, 2])
    expected = [b"", b"a", b"", b"b", b""]
    assert densify(sparse, "").numpy().tolist() == expected
    ragged = tf.ragged.constant([[], ["a"], [], ["b", "c"], []])
    assert densify(ragged, "").numpy().tolist() == expected
    assert densify(tf.constant([["a"], ["b"]]), "").numpy().tolist() == [b"a", b"b"]
    empty = tf.SparseTensor(tf.zeros([0, 2], tf.int64), tf.zeros([0]), [2, 0])
    assert densify(empty, -1.0).numpy().tolist() == [-1.0, -1.0]


def test_sparsify_drops_what_is_missing() -> None:
    texts = sparsify(tf.constant(["a", "", "b"]))
    assert texts.indices.numpy().tolist() == [[0, 0], [2, 0]]
    assert densify(texts, "").numpy().tolist() == [b"a", b"", b"b"]
    prices = sparsify(tf.constant([1.5, float("nan")]))
    assert prices.values.numpy().tolist() == [1.5]


def test_context_of_any_dtype_becomes_text() -> None:
    numbers = tf.SparseTensor([[1, 0]], tf.constant([7], tf.int64), [2, 1])
    assert context_values(numbers).numpy().tolist() == [b"", b"7"]
