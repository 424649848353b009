"""The tokenizer against hand-worked cases, a plain Python BERT and keras-nlp's."""

from __future__ import annotations

import random

import pytest
import tensorflow as tf

from core.errors import ConfigError
from tests.trainer.text_encoder import bert_oracle
from trainer.text_encoder.normalization import BERT_CASED, BERT_UNCASED
from trainer.text_encoder.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

PIECES = [
    *SPECIAL_TOKENS,
    *("enamel", "jug", "mug", "sofa", "so", "tea", "the", "naive", "10", "cm", "e"),
    *("Mail", "mail", "茶", "壶", "が", "か", "한", "!", "-", "'", ".", "$", "9", "i"),
    *("##s", "##led", "##fa", "##s", "##m", "##ail", "##1", "##2", "##ss", "##x"),
]
VOCABULARY = list(dict.fromkeys(PIECES))
WORDS = (
    *("Enamel", "jugs", "MUG", "sofas", "enamelled", "naïve", "10cm", "e-mail", "Mail"),
    *("茶壶", "茶 壶", "が", "Jug!", "it's", "$9.99", "ſofa", "x" * 120, "Éss", "ïss"),
    *("\u200btea", "tea\tthe", "“jug”", "…", "zzz", "ﬁ", "İ", "mug\u00a0sofa", "m12"),
)


@pytest.fixture(scope="module")
def bert() -> WordPieceTokenizer:
    return WordPieceTokenizer(
        VOCABULARY, normalization=BERT_UNCASED, add_special_tokens=True
    )


def pieces(tokenizer: WordPieceTokenizer, texts: list[str], most: int = 64) -> list:
    ids = tokenizer(tf.constant(texts), most).numpy()
    return [[VOCABULARY[i] for i in row if i] for row in ids]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Enamel JUGS", ["enamel", "jug", "##s"]),
        ("enamelled", ["enamel", "##led"]),
        ("enamelling", ["[UNK]"]),  # no piece begins ##li
        ("10cm sofa", ["10", "cm", "sofa"]),  # digits stand apart
        ("10 cm", ["10", "cm"]),
        ("naïve", ["naive"]),
        ("ｓｏｆａ", ["sofa"]),  # full width
        ("茶壶", ["茶", "壶"]),
        ("jug's", ["jug", "##s"]),  # an apostrophe binds
        ("jug/mug! -- (tea)", ["jug", "mug", "tea"]),
        ("[SEP] 🎉", ["[UNK]"]),  # no special token comes out of a text
        ("\x00\x07 \u2028", []),
        ("", []),
    ],
)
def test_pieces_of_a_shop_text(text: str, expected: list[str]) -> None:
    found = pieces(WordPieceTokenizer(VOCABULARY), [text])[0]
    assert found == expected


def test_bert_pieces_are_those_of_the_plain_python_tokenizer(bert) -> None:
    rng = random.Random(3)
    texts = [" ".join(rng.choices(WORDS, k=rng.randint(1, 8))) for _ in range(1_000)]
    expected = []
    for text in texts:
        words = bert_oracle.basic_tokens(text)
        split = [p for w in words for p in bert_oracle.word_pieces(w, VOCABULARY)]
        # Zero-width text and marks alone leave nothing: no special tokens either.
        expected.append(["[CLS]", *split[:62], "[SEP]"] if split else [])
    assert pieces(bert, texts) == expected


def test_bert_pieces_of_random_unicode(bert) -> None:
    rng = random.Random(4)
    blocks = (range(32, 0x250), range(0x3041, 0x3100), range(0x4E00, 0x4E40))
    points = [p for block in blocks for p in block]
    texts = ["".join(map(chr, rng.choices(points, k=20))) for _ in range(500)]
    expected = [
        [
            piece
            for word in bert_oracle.basic_tokens(text)
            for piece in bert_oracle.word_pieces(word, VOCABULARY)
        ]
        for text in texts
    ]
    assert [row[1:-1] for row in pieces(bert, texts)] == expected


def test_cased_bert_keeps_case_and_accents() -> None:
    tokenizer = WordPieceTokenizer(VOCABULARY, normalization=BERT_CASED)
    found = pieces(tokenizer, ["Mail mail naïve naive"])[0]
    assert found == ["Mail", "mail", "[UNK]", "naive"]


def test_long_texts_are_cut_and_special_tokens_stay(bert) -> None:
    ids = bert(tf.constant(["mug " * 5_000, "mug"]), 6).numpy()
    mug, begin, end = (VOCABULARY.index(p) for p in ("mug", "[CLS]", "[SEP]"))
    assert ids.tolist() == [
        [begin, mug, mug, mug, mug, end],
        [begin, mug, end, 0, 0, 0],
    ]


def test_texts_without_words_are_all_padding(bert) -> None:
    assert bert(tf.constant(["", " \t"]), 8).numpy().tolist() == [[0], [0]]
    assert bert(tf.constant([], tf.string), 8).shape[0] == 0


def test_invalid_utf8_is_a_space() -> None:
    ids = WordPieceTokenizer(VOCABULARY)(tf.constant([b"mug\xff\xfejug"]), 8)
    assert [VOCABULARY[i] for i in ids[0]] == ["mug", "jug"]


def test_vocabulary_needs_the_special_tokens() -> None:
    with pytest.raises(ConfigError, match=r"missing \['\[MASK\]'\]"):
        WordPieceTokenizer([*SPECIAL_TOKENS[:-1], "a"])
    with pytest.raises(ConfigError, match="first"):
        WordPieceTokenizer([*SPECIAL_TOKENS[::-1], "a"])


@pytest.mark.slow
def test_bert_pieces_are_those_of_keras_nlp(bert) -> None:
    import keras_nlp

    reference = keras_nlp.models.BertTokenizer(vocabulary=VOCABULARY, lowercase=True)
    rng = random.Random(5)
    # Not accents: keras-nlp's tokenizer keeps them where BERT removes them.
    words = [w for w in WORDS if w.isascii() and len(w) < 50] + ["茶壶", "“jug”"]
    texts = [" ".join(rng.choices(words, k=rng.randint(1, 8))) for _ in range(500)]
    expected = [[VOCABULARY[i] for i in row] for row in reference(texts)]
    assert [row[1:-1] for row in pieces(bert, texts)] == expected
