"""How alike items are by their words, in scripts with and without vowel signs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.evaluate_funnel.content import content_vectors


def _likeness(titles: list[str]) -> np.ndarray:
    vectors = content_vectors(pa.table({"title": titles}))
    return vectors @ vectors.T


def test_items_are_alike_by_the_words_they_share() -> None:
    likeness = _likeness(["red mug", "red mug", "blue lamp", ""])
    np.testing.assert_allclose(likeness[0], [1, 1, 0, 0], atol=1e-9)
    assert likeness[3, 3] == 0  # no words


def test_vowel_signs_tell_words_apart() -> None:
    # Hindi oil and lock have the same consonants.
    likeness = _likeness(["तेल", "ताला", "तेल", "मेज"])
    np.testing.assert_allclose(likeness[0], [1, 0, 1, 0], atol=1e-9)
