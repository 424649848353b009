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
    assert learn_vocabulary(count_words(texts), 60) == expected


@pytest.mark.slow
def test_every_text_of_the_shop_has_known_pieces() -> None:
    vocabulary = learn_vocabulary(count_words(TEXTS * 20), 500)
    ids = WordPieceTokenizer(vocabulary)(tf.constant(TEXTS), 16).numpy()
    assert (ids[:, 0] > 0).all()
    assert not (ids == vocabulary.index("[UNK]")).any()
