"""Tokens and title vectors in several languages."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.funnel import text


def test_words_give_themselves_and_their_trigrams() -> None:
    assert text.tokens("Red  CUP!") == ["red", "##re", "#red", "#ed#", "cup", *CUP]


CUP = ["##cu", "#cup", "#up#"]


def test_unspaced_scripts_give_character_pairs() -> None:
    assert text.tokens("智能手机") == ["智能", "能手", "手机"]
    assert text.tokens("茶") == ["茶"]
    assert text.tokens("x手机") == ["x", "##x#", "手机"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("तेल", "ताला"),  # Hindi: oil, lock
        ("তেল", "তালা"),  # Bengali: oil, lock
        ("ਤੇਲ", "ਤਾਲਾ"),  # Punjabi: oil, lock
        ("તેલ", "તાલ"),  # Gujarati: oil, rhythm
        ("பால்", "பல்லி"),  # Tamil: milk, gecko
        ("పాలు", "పిల్లి"),  # Telugu: milk, cat
        ("ಹಾಲು", "ಹಲ್ಲು"),  # Kannada: milk, tooth
        ("മാല", "മൂല"),  # Malayalam: necklace, corner
    ],
)
def test_words_keep_their_vowel_signs(first: str, second: str) -> None:
    """Without the signs, both words of a pair have the same letters."""
    words = [token for token in text.tokens(f"{first}, {second}") if token[0] != "#"]
    assert words == [first, second]


@pytest.mark.parametrize(
    ("first", "second", "pairs"),
    [
        ("มีด", "มืด", ["มี", "ีด"]),  # Thai: knife, dark
        ("ປີ", "ປູ", ["ປີ"]),  # Lao: year, crab
        ("ទឹក", "ទូក", ["ទឹ", "ឹក"]),  # Khmer: water, boat
        ("ဆီ", "ဆေး", ["ဆီ"]),  # Burmese: oil, medicine
    ],
)
def test_pairs_of_unspaced_scripts_hold_their_vowel_signs(
    first: str, second: str, pairs: list[str]
) -> None:
    assert text.tokens(first) == pairs
    assert not set(pairs) & set(text.tokens(second))


def test_signs_without_a_letter_are_no_words() -> None:
    assert text.tokens("☕\ufe0f \u0301 ❤\ufe0f") == []
    assert text.tokens("Lego\u2122\ufe0f") == text.tokens("legotm")


def test_full_width_letters_are_folded() -> None:
    assert text.tokens("ＣＵＰ") == text.tokens("cup")


def test_empty_and_missing_titles_give_no_tokens() -> None:
    assert text.tokens("") == [] and text.tokens("--- !!") == []


def test_similar_titles_are_near_and_empty_ones_are_zero() -> None:
    titles = ["red metal cup", "blue metal cup", "智能手机 黑", "智能手机 白", ""]
    matrix = text.tfidf(titles)
    vectors = text.title_vectors(matrix, 8)
    assert vectors.shape == (5, 8) and vectors.dtype == np.float32
    norms = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(norms, [1, 1, 1, 1, 0], atol=1e-5)
    likeness = vectors @ vectors.T
    assert likeness[0, 1] > 0.5 and likeness[2, 3] > 0.5
    assert abs(likeness[0, 2]) < 0.1
    exact = (matrix @ matrix.T).toarray()
    np.testing.assert_allclose(likeness[:4, :4], exact[:4, :4], atol=1e-3)
