"""What a mistake costs, for corrections beside the model and inside it."""

from __future__ import annotations

# In edits: people rarely miss the first letter, and a word that is ten times as
# frequent is likelier.
FIRST_LETTER = 0.5
TENFOLD = -0.25
# Words of fewer letters are never corrected.
MIN_LETTERS = 3
# A word that people type and no item has is one edit away from a word that so many
# times as many use: a misspelling that many make, and no word of the shop.
MISSPELLING_RATIO = 5.0
# Alphabets whose letters are single code points: Latin to Arabic, Latin and Greek
# with marks. An edit in other scripts is a syllable or a word.
_ALPHABETS = (range(0x0041, 0x0700), range(0x1E00, 0x2000))


def is_alphabetic(word: str) -> bool:
    """Whether edits of single letters can be mistakes in it."""
    return word.isalpha() and all(
        any(ord(letter) in alphabet for alphabet in _ALPHABETS) for letter in word
    )
