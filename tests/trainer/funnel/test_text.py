"""Tokens and title vectors in several languages."""

from __future__ import annotations

import numpy as np

from trainer.funnel import text


def test_words_give_themselves_and_their_trigrams() -> None:
    assert text.tokens("Red  CUP!") == ["red", "##re", "#red", "#ed#", "cup", *CUP]


CUP = ["##cu", "#cup", "#up#"]


def test_unspaced_scripts_give_character_pairs() -> None:
    assert text.tokens("智能手机") == ["智能", "能手", "手机"]
    assert text.tokens("茶") == ["茶"]
    assert text.tokens("x手机") == ["x", "##x#", "手机"]


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
