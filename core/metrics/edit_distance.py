"""Edit distance of one word to all words of a vocabulary at once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from core.metrics.truth import IntArray


class Spelling:
    """Words of a vocabulary, ready to be compared with a word that is not among them.

    The distance is that of optimal string alignment: letters inserted, left out or
    replaced, and neighbours swapped, each counts one (Damerau, 1964).
    """

    def __init__(self, words: Iterable[str]) -> None:
        by_length: dict[int, list[str]] = {}
        for word in sorted(set(words)):
            by_length.setdefault(len(word), []).append(word)
        self._words = by_length
        self._codes = {
            length: np.array([[ord(c) for c in word] for word in found], np.int64)
            for length, found in by_length.items()
            if length
        }

    def nearest(self, word: str) -> str | None:
        """The nearest word within the edits that a word of this length may hold.

        None where there is none. Of equally near words the first in the alphabet.
        """
        limit = allowed_edits(word)
        best: tuple[int, str] | None = None
        for length in range(len(word) - limit, len(word) + limit + 1):
            codes = self._codes.get(length)
            if limit == 0 or codes is None:
                continue
            distances = edit_distances(word, codes)
            place = int(distances.argmin())
            found = (int(distances[place]), self._words[length][place])
            if found[0] <= limit and (best is None or found < best):
                best = found
        return best[1] if best else None


def allowed_edits(word: str) -> int:
    """0 below three letters, 1 up to five, 2 above (Elasticsearch's AUTO fuzziness)."""
    return 0 if len(word) < 3 else 1 if len(word) < 6 else 2


def edit_distances(word: str, codes: IntArray) -> IntArray:
    """[V] int64 distance of `word` to V words of one length.

    Args:
      word: any text.
      codes: [V, length] code points.
    """
    letters = [ord(c) for c in word]
    num_words, length = codes.shape
    before = np.zeros((length + 1, num_words), np.int64)
    row = np.repeat(np.arange(length + 1)[:, None], num_words, axis=1)
    for i, letter in enumerate(letters, start=1):
        older, before, row = before, row, np.empty_like(row)
        row[0] = i
        for j in range(1, length + 1):
            replaced = before[j - 1] + (codes[:, j - 1] != letter)
            row[j] = np.minimum(replaced, 1 + np.minimum(before[j], row[j - 1]))
            if i > 1 and j > 1:
                swapped = codes[:, j - 1] == letters[i - 2]
                swapped &= codes[:, j - 2] == letter
                row[j] = np.where(swapped, np.minimum(row[j], older[j - 2] + 1), row[j])
    return row[length]
