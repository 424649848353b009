"""Ids by one look-up are those of the analyzer's terms."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
import tensorflow as tf

from core.config.lexical import LexicalConfig
from core.text import tokens
from tests.trainer.search.catalogues import simulated
from trainer.search.analyzer import Analyzer
from trainer.search.inverted_index import build_inverted_index
from trainer.search.query_terms import joined_terms
from trainer.search.term_ids import TermIds, typed_words

CONFIG = LexicalConfig(max_query_terms=6, max_query_characters=40)
VOCABULARY = [b"10", b"and", b"berry", b"boss", b"mug", b"red", "\u8336".encode()]


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer()


def as_list(ids: TermIds, query: str) -> list[int]:
    return ids(tf.constant([query])).numpy()[0].tolist()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("red mug", [5, 4]),
        ("  RED\tMugs ", [5, 4]),
        ("mug mug berries", [4, 4, 2]),
        ("10 mugs", [0, 4]),
        ("10mugs", [0, 4]),  # from here on by the analyzer
        ("red, mug!", [5, 4]),
        ("the red mug", [5, 4]),
        ("bosses boss", [3, 3]),
        ("and ands", [1]),  # the first is a stop word, the second a plural
        ("red qwxyz", [5, 7]),
        ("\u8336 mug", [6, 4]),
        ("", []),
        (" ", []),
        ("red " * 9, [5] * 6),
        ("mug" + " " * 40 + "red", [4]),
        ("x" * 40 + " red", [7]),
    ],
)
def test_ids_of_a_query(analyzer, query, expected) -> None:
    ids = TermIds(np.array(VOCABULARY, object), CONFIG, analyzer)
    assert as_list(ids, query) == expected


def test_words_that_need_no_analyzer(analyzer) -> None:
    words, terms = typed_words(np.array(VOCABULARY, object), analyzer)
    found = dict(zip(words, terms, strict=True))
    assert found[b"mug"] == found[b"mugs"] == b"mug"
    assert found[b"berry"] == found[b"berries"] == b"berry"
    assert found[b"bosses"] == b"boss"
    assert found[b"ands"] == b"and"
    assert found[b"10"] == b"10"
    assert not {b"and", b"the", "\u8336".encode()} & set(words)


@pytest.mark.parametrize(
    "queries",
    [
        ["red mug"],
        ["RED  Mugs", "", "berries mug 10"],
        ["red", "the red, mugs!", ""],
        ["red qwxyz", "the", "\u8336 mug"],
        ["red " * 9],  # more terms than ids are given
        [],
    ],
)
def test_the_text_is_that_of_all_the_terms(analyzer, queries) -> None:
    ids = TermIds(np.array(VOCABULARY, object), CONFIG, analyzer)
    texts = tf.constant(queries, tf.string)
    terms, joined, _ = ids.read(texts)
    np.testing.assert_array_equal(terms, ids(texts))
    np.testing.assert_array_equal(joined, joined_terms(analyzer, texts))


def test_a_batch_is_padded_and_each_query_the_same_alone(analyzer) -> None:
    ids = TermIds(np.array(VOCABULARY, object), CONFIG, analyzer)
    assert ids(tf.constant(["red mugs", "", "mug"])).numpy().tolist() == [
        [5, 4],
        [9, 9],
        [4, 9],
    ]
    assert ids(tf.constant(["red mugs", "", "mug!"])).numpy().tolist() == [
        [5, 4],
        [9, 9],
        [4, 9],
    ]
    assert ids(tf.zeros([0], tf.string)).shape[0] == 0


def test_characters_that_touch_in_no_item_are_no_unknown_word(analyzer) -> None:
    ids = TermIds(np.array(VOCABULARY, object), CONFIG, analyzer)
    tea, word, pair, pad = 6, 7, 8, 9
    found = ids(tf.constant(["\u8336\u8336 mug", "\u8336\u7ea2", "x"]))
    assert found.numpy().tolist() == [
        [tea, tea, 4, pair],
        [tea, word, pair, pad],
        [word, pad, pad, pad],
    ]


def test_titles_and_queries_agree_with_the_plain_reading(analyzer) -> None:
    items, queries = simulated("tiny")
    index = build_inverted_index(items, LexicalConfig(), analyzer)
    term_ids = TermIds(index.terms, LexicalConfig(), analyzer)
    ids = tf.function(term_ids.read)
    place = {term.decode(): row for row, term in enumerate(index.terms)}
    rng = random.Random(8)
    words = [word for title in items["title"] for word in title.lower().split()]
    made = [
        "".join(
            rng.choice(words) + rng.choice((" ", " ", "s ", "es ", "  ", " the "))
            for _ in range(rng.randint(0, 5))
        )
        for _ in range(600)
    ]
    for text in [*made, *queries[:300], *items["title"][:300]]:
        expected = [
            place.get(t, len(place) + bool(re.fullmatch(r"[\u3040-\u9fff]{2}", t)))
            for t in tokens.terms(text, 256)
        ]
        found, joined, _ = ids(tf.constant([text]))
        assert found.numpy()[0].tolist() == expected[:64], text
        assert joined.numpy()[0].decode() == " ".join(tokens.terms(text, 256)), text
        assert term_ids(tf.constant([text])).numpy().tolist() == found.numpy().tolist()
