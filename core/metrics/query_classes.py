"""Classes of queries, by rules that need a catalogue and a log, and no person.

A query has any number of them:

- `head`: among the most frequent queries that make up half of the searches of the log;
  `tail`: any other query. Without a log, neither.
- `misspelt`: a term that the catalogue does not have is one or two edits from a term
  that it has (`edit_distance.allowed_edits`), or two of its terms written as one.
- `synonym`: otherwise, a term that the catalogue does not have, or one that fewer than
  half of the titles of the relevant items hold.
- `generic`: one term, or at most two of which a hundredth of the titles holds all;
  `specific`: any other query.
- `chinese`: Han characters.

Terms with a digit (sizes, models) are neither misspelt nor synonyms. Where a query has
Han characters only titles that have some count, and the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from core.metrics.edit_distance import Spelling
from core.metrics.truth import IntArray
from core.text.marks import MARKS

HEAD, TAIL = "head", "tail"
GENERIC, SPECIFIC = "generic", "specific"
MISSPELT, SYNONYM = "misspelt", "synonym"
CHINESE = "chinese"
QUERY_CLASSES = (HEAD, TAIL, GENERIC, SPECIFIC, MISSPELT, SYNONYM, CHINESE)

HEAD_SHARE = 0.5  # of the searches
GENERIC_SHARE = 0.01  # of the titles
SYNONYM_SHARE = 0.5  # of the relevant titles
HAN_PER_WORD = 4  # a run of so many characters counts as one word

_LETTER = r"[^\W_\u3400-\u9fff]"
_WORDS = re.compile(rf"[\u3400-\u9fff]+|{_LETTER}(?:{_LETTER}|[{MARKS}])*")
_HAN = re.compile(r"[\u3400-\u9fff]")


def is_chinese(text: str) -> bool:
    """Whether there are Han characters in the text."""
    return bool(_HAN.search(text))


def terms(text: str) -> list[str]:
    """Lower-case words without a plural s; each Han character is a term.

    Plurals as in Harman's S-stemmer (1991): ies → y, es → e, s → nothing.
    """
    found = []
    for word in _WORDS.findall(text.lower()):
        found += list(word) if _HAN.match(word) else [_singular(word)]
    return found


def head_queries(
    counts: Mapping[str, int], share: float = HEAD_SHARE
) -> frozenset[str]:
    """The fewest most frequent queries that make up `share` of the searches.

    Args:
      counts: searches per query; equal counts in the order of the alphabet.
      share: 0 .. 1.
    """
    ordered = sorted(counts, key=lambda query: (-counts[query], query))
    sums = np.cumsum([counts[query] for query in ordered], dtype=np.float64)
    if not len(sums):
        return frozenset()
    return frozenset(ordered[: int(np.searchsorted(sums, share * sums[-1])) + 1])


class QueryClassifier:
    """Names the classes of a query of one shop."""

    def __init__(
        self,
        titles: Sequence[str],
        *,
        texts: Iterable[str] = (),
        counts: Mapping[str, int] | None = None,
    ) -> None:
        """
        Args:
          titles: [n] of the catalogue.
          texts: more of the catalogue's words (brands, categories, descriptions).
          counts: searches per query in the log before the test; None without a log.
        """
        self._titles = [frozenset(terms(title)) for title in titles]
        self._chinese = np.array([is_chinese(title) for title in titles], bool)
        rows: dict[str, list[int]] = {}
        for row, found in enumerate(self._titles):
            for term in found:
                rows.setdefault(term, []).append(row)
        self._rows = {term: np.array(r, np.int64) for term, r in rows.items()}
        words = {term for text in texts for term in terms(text)} | set(rows)
        self._vocabulary = frozenset(words)
        self._spelling = Spelling(word for word in words if word.isalpha())
        self._head = None if counts is None else head_queries(counts)

    def classes(self, query: str, relevant: Iterable[int] = ()) -> frozenset[str]:
        """The classes of a query.

        Args:
          query: the text.
          relevant: rows of items known to be relevant (best graded, or clicked).
        """
        found = {CHINESE} if is_chinese(query) else set[str]()
        if self._head is not None:
            found.add(HEAD if query in self._head else TAIL)
        meant = {term: self._meant(term) for term in terms(query)}
        if any(term != known for term, known in meant.items() if known is not None):
            found.add(MISSPELT)
        elif self._is_synonym(query, meant, relevant):
            found.add(SYNONYM)
        return frozenset(found | {self._breadth(query, meant)})

    def _meant(self, term: str) -> str | None:
        """The catalogue's term: itself, a correction, or None where none is near."""
        if term in self._vocabulary or not term.isalpha() or is_chinese(term):
            return term
        for place in range(2, len(term) - 1):
            parts = term[:place], _singular(term[place:])
            if self._vocabulary.issuperset(parts):
                return " ".join(parts)
        return self._spelling.nearest(term)

    def _is_synonym(
        self, query: str, meant: Mapping[str, str | None], relevant: Iterable[int]
    ) -> bool:
        if None in meant.values():
            return True
        chinese = is_chinese(query)
        titles = [
            self._titles[row] for row in relevant if self._chinese[row] == chinese
        ]
        if not titles:
            return False
        words = [term for term in meant if term.isalpha()]
        shares = [
            sum(term in title for title in titles) / len(titles) for term in words
        ]
        return min(shares, default=1.0) < SYNONYM_SHARE

    def _breadth(self, query: str, meant: Mapping[str, str | None]) -> str:
        words = sum(
            -(-len(word) // HAN_PER_WORD) if _HAN.match(word) else 1
            for word in _WORDS.findall(query)
        )
        if words <= 1:
            return GENERIC
        if words > 2:
            return SPECIFIC
        chinese = is_chinese(query)
        same = self._chinese == chinese
        known = [m for term, m in meant.items() for m in (m or term).split()]
        matched = sum(same[self._holding_all(known)])
        return GENERIC if matched >= GENERIC_SHARE * max(same.sum(), 1) else SPECIFIC

    def _holding_all(self, words: Sequence[str]) -> IntArray:
        """Rows of the titles that hold every word."""
        found = np.arange(len(self._titles))
        for word in words:
            rows = self._rows.get(word, np.empty(0, np.int64))
            found = np.intersect1d(found, rows, assume_unique=True)
        return found


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s"):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    return word if word.endswith(("us", "ss")) else word[:-1]
