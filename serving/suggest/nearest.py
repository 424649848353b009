"""Words few edits away from what was typed, by rapidfuzz.

Damerau-Levenshtein in its optimal string alignment form: an insertion, a deletion, a
replaced letter and two swapped neighbours are one edit each. Nothing is precomputed but
lists by length, so a new lexicon is ready at once (docs/adr/0004).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

# Beginnings longer than this are not corrected while typing.
_MAX_BEGINNING = 16


class NearestWords:
    """Candidates for a word that the shop does not have."""

    def __init__(self, words: Iterable[str]) -> None:
        self._by_length: dict[int, list[str]] = {}
        for word in words:
            self._by_length.setdefault(len(word), []).append(word)
        # Per instance, so that a lexicon that was replaced can be freed.
        self._of_length_near = functools.lru_cache(maxsize=1024)(self._near_length)
        self._beginnings = functools.lru_cache(maxsize=512)(self._beginnings_of)

    def near(self, word: str, max_distance: int) -> list[tuple[str, int]]:
        """Words at most `max_distance` edits away, with their distance.

        People rarely miss the first letter: where a word one edit away begins like this
        one (or with its second letter: the first is missing, or swapped), only such
        words are looked through. That spares nine tenths of the shop's words.
        """
        alike = [
            found
            for first in dict.fromkeys(word[:2])
            for found in self._within(word, max_distance, first)
        ]
        if any(distance <= 1 for _, distance in alike):
            return alike
        return self._within(word, max_distance, None)

    def near_beginnings(self, beginning: str) -> list[tuple[str, int]]:
        """Beginnings of words one edit away from `beginning`, with their distance.

        Looked for where the first letter is right, missing, or swapped with the second.
        """
        length = len(beginning)
        if not 1 < length <= _MAX_BEGINNING:
            return []
        return [
            found
            for first in dict.fromkeys(beginning[:2])
            for found in _within(beginning, self._beginnings(length, first), 1)
        ]

    def _within(
        self, word: str, max_distance: int, first: str | None
    ) -> list[tuple[str, int]]:
        return _within(
            word, self._of_length_near(len(word), max_distance, first), max_distance
        )

    def _near_length(
        self, length: int, max_distance: int, first: str | None
    ) -> list[str]:
        """Words of about that length; those that begin with `first` if given."""
        lengths = range(length - max_distance, length + max_distance + 1)
        return [
            word
            for n in lengths
            for word in self._by_length.get(n, ())
            if first is None or word[0] == first
        ]

    def _beginnings_of(self, length: int, first: str) -> list[str]:
        """Unique beginnings of `length` letters and of one more."""
        found: set[str] = set()
        for n in (length, length + 1):
            longer = (words for m, words in self._by_length.items() if m >= n)
            found.update(w[:n] for words in longer for w in words if w[0] == first)
        return sorted(found)


def _within(word: str, choices: list[str], max_distance: int) -> list[tuple[str, int]]:
    found = process.extract(
        word,
        choices,
        scorer=OSA.distance,
        processor=None,
        score_cutoff=max_distance,
        limit=None,
    )
    return [(choice, int(distance)) for choice, distance, _ in found]
