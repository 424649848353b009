"""The vocabulary against keras-nlp's, and what the shop's text makes of it."""

from __future__ import annotations

import pytest
import tensorflow as tf

from core.errors import InputDataError
from trainer.text_encoder.vocabulary import count_words, learn_vocabulary
from trainer.text_encoder.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

TEXTS = [f"{c} Enamel {n}" for c in ("red", "blue", "绿色") for n in ("Jug", "Mugs")]


def test_words_are_counted_as_the_tokenizer_folds_them() -> None:
    counts = count_words(["Red JUG", "red jug 10cm", "绿色"])
    expected = {"red": 2, "jug": 2, "10": 1, "cm": 1, "绿": 1, "色": 1}
    assert dict(counts) == expected


def test_no_words_make_no_vocabulary() -> None:
    with pytest.raises(InputDataError, match="at least one word"):
        learn_vocabulary({}, 100)


@pytest.mark.slow
def test_vocabulary_is_the_one_keras_nlp_computes() -> None:
    import keras_nlp

    texts = [text.lower() for text in TEXTS * 30]
    expected = keras_nlp.tokenizers.compute_word_piece_vocabulary(
        tf.data.Dataset.from_tensor_slices(texts), 60, reserved_tokens=SPECIAL_TOKENS
    )
    # Chinese characters stand alone: they have no form inside a word, and come last.
    latin = [piece for piece in expected if piece.removeprefix("##") not in set("绿色")]
    assert learn_vocabulary(count_words(texts), 60) == [*latin, "绿", "色"]


@pytest.mark.slow
def test_every_text_of_the_shop_has_known_pieces() -> None:
    vocabulary = learn_vocabulary(count_words(TEXTS * 20), 500)
    ids = WordPieceTokenizer(vocabulary)(tf.constant(TEXTS), 16).numpy()
    assert (ids[:, 0] > 0).all()
    assert not (ids == vocabulary.index("[UNK]")).any()


@pytest.mark.slow
def test_thousands_of_characters_leave_room_for_words() -> None:
    characters = {chr(0x4E00 + i): 10_000 - i for i in range(900)}
    names = [f"{a}{b}er" for a in "abcdefghij" for b in "klmnopqrst"]
    words = {name: 3_000 // (i + 1) for i, name in enumerate(names)}
    vocabulary = learn_vocabulary({**characters, **words}, 400)
    assert len(vocabulary) <= 400 and len(set(vocabulary)) == len(vocabulary)
    kept = [piece for piece in vocabulary if piece in characters]
    assert kept == list(characters)[: len(kept)] and len(kept) > 250
    assert not any(
        piece.removeprefix("##") in characters
        for piece in vocabulary
        if piece.startswith("##")
    )
    ids = WordPieceTokenizer(vocabulary)(tf.constant(["aker", "joer", "一"]), 8).numpy()
    assert not (ids == vocabulary.index("[UNK]")).any()
    # Of Chinese alone everything that fits.
    alone = learn_vocabulary(characters, 400)
    assert alone == [*SPECIAL_TOKENS, *list(characters)[:395]]
