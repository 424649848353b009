from __future__ import annotations

import numpy as np
import pytest

from core.metrics.edit_distance import Spelling, edit_distances


@pytest.mark.parametrize(
    ("word", "other", "distance"),
    [
        ("jug", "jug", 0),
        ("jgu", "jug", 1),  # neighbours swapped
        ("enamle", "enamel", 1),
        ("frnech", "french", 1),
        ("kitten", "kitted", 1),
        ("kitten", "mitts", 3),
        ("kitten", "sitting", 3),
        ("ca", "abc", 3),  # optimal string alignment, not the unrestricted distance
        ("", "abc", 3),
    ],
)
def test_distance_of_known_pairs(word: str, other: str, distance: int) -> None:
    codes = np.array([[ord(c) for c in other]] * 2)

    assert edit_distances(word, codes).tolist() == [distance, distance]


def test_nearest_word_is_within_what_its_length_allows() -> None:
    spelling = Spelling(["enamel", "jug", "mug", "lantern", "tv"])

    assert spelling.nearest("enmael") == "enamel"
    assert spelling.nearest("lntrn") is None  # two edits, five letters: one allowed
    assert spelling.nearest("lantrens") == "lantern"
    assert spelling.nearest("juug") == "jug"
    assert spelling.nearest("bug") == "jug"  # as near as mug, first in the alphabet
    assert spelling.nearest("tz") is None  # too short for a guess
    assert spelling.nearest("submarine") is None
    assert Spelling([]).nearest("jug") is None
