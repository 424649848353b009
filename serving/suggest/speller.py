"""Corrections against the shop's own vocabulary.

Only words that the shop does not have are ever changed, so a query whose words it knows
stays as it is. A word is corrected by the candidate of least cost, a noisy channel in
logarithms (Kernighan, Church and Gale 1990): edits, less the candidate's popularity,
less what its neighbours in the query say for it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

from core.config.suggest import SuggestConfig
from core.text.edits import FIRST_LETTER, TENFOLD, is_alphabetic
from core.text.tokens import MAX_QUERY_CHARACTERS
from core.text.units import Unit, units
from serving.suggest.nearest import NearestWords
from serving.suggest.vocabulary import Vocabulary

# Costs in edits, beside those of `core.text.edits`: a word that stands beside its
# neighbour in titles is likelier.
_KNOWN_PAIR = -0.5
# A forgotten space is likelier than a wrong letter where the two words do stand side by
# side, and unlikely where they never do.
_SPLIT_OF_PAIR, _SPLIT = 0.8, 1.8
_MIN_LETTERS_OF_SPLIT = 3  # of both words, unless they are a pair


@dataclasses.dataclass(frozen=True)
class TermCorrection:
    """One place where the query was changed."""

    original: str  # as typed
    corrected: str


@dataclasses.dataclass(frozen=True)
class Correction:
    """A query as the shop would write it; the same text where `changed` is False."""

    text: str
    changed: bool
    terms: tuple[TermCorrection, ...] = ()


@dataclasses.dataclass(frozen=True)
class _Edit:
    first: int  # units [first, last]
    last: int
    replacement: str


class Speller:
    """Corrects queries and what is being typed."""

    def __init__(self, vocabulary: Vocabulary, config: SuggestConfig) -> None:
        self._vocabulary, self._config = vocabulary, config
        words = [w for w in vocabulary.frequencies if is_alphabetic(w)]
        self._nearest = NearestWords(words)

    def correct(self, query: str) -> Correction:
        """The query with its unknown words corrected where a known one is near.

        Ideographs, numbers, stop words and known words are never touched. The time is
        bounded: what search does not read (beyond 256 characters) is passed through.
        """
        return self._apply(query, self._edits(units(query, MAX_QUERY_CHARACTERS)))

    def correct_prefix(self, prefix: str) -> Correction:
        """As `correct`, but the last word may be the beginning of a longer one."""
        prefix = prefix[:MAX_QUERY_CHARACTERS]
        found = units(prefix)
        if not found or prefix[-1].isspace():
            return self.correct(prefix)
        *complete, partial = found
        edits = self._edits(complete)
        beginning = self._beginning(partial)
        if beginning is not None:
            last = len(found) - 1
            edits.append(_Edit(last, last, beginning))
        return self._apply(prefix, edits)

    def _edits(self, found: list[Unit]) -> list[_Edit]:
        edits: list[_Edit] = []
        num_looked_up, place = 0, 0
        while place < len(found) and num_looked_up < self._config.max_corrected_words:
            unit = found[place]
            if _is_word(unit) and not self._vocabulary.knows(unit):
                num_looked_up += 1
                taken = edits[-1].last if edits else -1
                edit = self._join(found, place, taken) or self._replace(found, place)
                if edit is not None:
                    edits.append(edit)
                    place = edit.last
            place += 1
        return edits

    def _join(self, found: list[Unit], place: int, taken: int) -> _Edit | None:
        """`place` and a neighbour as one known word, or with the space elsewhere.

        Units up to `taken` are gone.
        """
        for first, last in ((place, place + 1), (place - 1, place)):
            if first <= taken or last >= len(found):
                continue
            word = found[first].surface + found[last].surface
            if not is_alphabetic(word):
                continue
            if self._vocabulary.frequency(word):
                return _Edit(first, last, word)
            pair = max(self._pairs(word), default=None)
            if pair is not None:
                return _Edit(first, last, pair[1])
        return None

    def _pairs(self, word: str) -> Iterator[tuple[int, str]]:
        """Count and text of each way to read the word as two that stood together."""
        for cut in range(1, len(word)):
            first, second = word[:cut], word[cut:]
            count = self._vocabulary.pair_count(first, second)
            if count:
                yield count, f"{first} {second}"

    def _replace(self, found: list[Unit], place: int) -> _Edit | None:
        word = found[place].surface
        if len(word) < self._config.min_word_letters:
            return None
        before = found[place - 1].surface if place else ""
        after = found[place + 1].surface if place + 1 < len(found) else ""
        candidates = [*self._near(word, before, after), *self._splits(word)]
        if not candidates:
            return None
        return _Edit(place, place, min(candidates)[1])

    def _near(self, word: str, before: str, after: str) -> Iterator[tuple[float, str]]:
        """Cost and word of each candidate some edits away."""
        vocabulary = self._vocabulary
        two = len(word) >= self._config.two_edits_from
        for candidate, distance in self._nearest.near(word, 2 if two else 1):
            cost = distance + TENFOLD * vocabulary.popularity(candidate)
            if candidate[0] != word[0]:
                cost += FIRST_LETTER
            if vocabulary.pair_count(before, candidate):
                cost += _KNOWN_PAIR
            if vocabulary.pair_count(candidate, after):
                cost += _KNOWN_PAIR
            yield cost, candidate

    def _splits(self, word: str) -> Iterator[tuple[float, str]]:
        """Cost and text of each way to read the word as two known ones."""
        vocabulary = self._vocabulary
        for count, text in self._pairs(word):
            yield _SPLIT_OF_PAIR + TENFOLD * math.log10(1 + count), text
        for cut in range(_MIN_LETTERS_OF_SPLIT, len(word) - _MIN_LETTERS_OF_SPLIT + 1):
            first, second = word[:cut], word[cut:]
            rarer = min(vocabulary.popularity(first), vocabulary.popularity(second))
            if rarer > 0:
                yield _SPLIT + TENFOLD * rarer, f"{first} {second}"

    def _beginning(self, partial: Unit) -> str | None:
        """The likeliest beginning of a word for one that no word has."""
        word = partial.surface
        if not _is_word(partial) or len(word) < self._config.min_word_letters:
            return None
        if self._most_popular(word) > 0:
            return None
        candidates = [*self._near_beginnings(word), *self._split_beginnings(word)]
        return min(candidates)[1] if candidates else None

    def _near_beginnings(self, word: str) -> Iterator[tuple[float, str]]:
        for beginning, distance in self._nearest.near_beginnings(word):
            cost = distance + TENFOLD * self._most_popular(beginning)
            if beginning[0] != word[0]:
                cost += FIRST_LETTER
            yield cost, beginning

    def _split_beginnings(self, word: str) -> Iterator[tuple[float, str]]:
        """A known word and the beginning of one that stood behind it."""
        vocabulary = self._vocabulary
        for cut in range(1, len(word)):
            first, second = word[:cut], word[cut:]
            for follower in vocabulary.after(first):
                if follower.startswith(second):
                    count = vocabulary.pair_count(first, follower)
                    cost = _SPLIT_OF_PAIR + TENFOLD * math.log10(1 + count)
                    yield cost, f"{first} {second}"
                    break  # the others behind `first` are less frequent

    def _most_popular(self, beginning: str) -> float:
        """Popularity of the most popular word behind `beginning`; 0 for none."""
        words = self._vocabulary.beginning_with(beginning, 1)
        return self._vocabulary.popularity(words[0]) if words else 0.0

    @staticmethod
    def _apply(query: str, edits: list[_Edit]) -> Correction:
        if not edits:
            return Correction(query, changed=False)
        found = units(query, MAX_QUERY_CHARACTERS)
        parts, terms, done = [], [], 0
        for edit in edits:
            start, end = found[edit.first].start, found[edit.last].end
            parts += [query[done:start], edit.replacement]
            terms.append(TermCorrection(query[start:end], edit.replacement))
            done = end
        parts.append(query[done:])
        return Correction("".join(parts), changed=True, terms=tuple(terms))


def _is_word(unit: Unit) -> bool:
    """Whether edits of single letters can be mistakes in it."""
    return bool(unit.term) and not unit.is_ideographs and is_alphabetic(unit.surface)
