"""The shop's words as lookups: what is known, how frequent, what stands beside what."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable

from core.lexicon import Lexicon, Pair, Term, Word
from core.text.units import Unit
from serving.suggest.prefix_index import PrefixIndex

# Successors of one word that are remembered, most frequent first.
_MAX_SUCCESSORS = 200


class Vocabulary:
    """Terms, words and pairs of neighbours."""

    def __init__(
        self, terms: Iterable[Term], words: Iterable[Word], pairs: Iterable[Pair]
    ) -> None:
        self._terms = frozenset(term.term for term in terms)
        # Searches say what people write, items what can be found: both count.
        self.frequencies = {w.word: w.items + w.queries for w in words}
        self._by_beginning: PrefixIndex[None] = PrefixIndex(
            (word, self.popularity(word), None) for word in self.frequencies
        )
        self._pairs = {(p.first, p.second): p.count for p in pairs}
        by_first: dict[str, list[tuple[int, str]]] = {}
        for (first, second), count in self._pairs.items():
            by_first.setdefault(first, []).append((-count, second))
        self._after = {
            first: [second for _, second in heapq.nsmallest(_MAX_SUCCESSORS, seconds)]
            for first, seconds in by_first.items()
        }

    @classmethod
    def of(cls, lexicon: Lexicon) -> Vocabulary:
        return cls(lexicon.terms, lexicon.words, lexicon.pairs)

    def knows(self, unit: Unit) -> bool:
        """Whether the shop has this word, in this or another number."""
        return unit.term in self._terms or unit.surface in self.frequencies

    def frequency(self, word: str) -> int:
        """Items and searches with this very word; 0 for an unknown one."""
        return self.frequencies.get(word, 0)

    def popularity(self, word: str) -> float:
        """log10(1 + frequency)."""
        return math.log10(1 + self.frequency(word))

    def pair_count(self, first: str, second: str) -> int:
        """How often `second` stood right behind `first`."""
        return self._pairs.get((first, second), 0)

    def after(self, word: str) -> list[str]:
        """Words seen behind `word`, most frequent first."""
        return self._after.get(word, [])

    def beginning_with(self, beginning: str, k: int) -> list[str]:
        """The k most popular words that begin so, most popular first."""
        return [word for word, _, _ in self._by_beginning.top(beginning, k)]
