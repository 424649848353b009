"""Completions of what is being typed: own and popular queries, the catalogue."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence

from core import lexicon as lexicons
from core.config.suggest import SuggestConfig
from core.features import CATEGORY_SEPARATOR
from core.lexicon import Lexicon
from core.text.tokens import MAX_QUERY_CHARACTERS
from core.text.units import completion_key, prefix_key, units
from serving.suggest.prefix_index import PrefixIndex
from serving.suggest.vocabulary import Vocabulary

HISTORY, WORD = "history", "word"
# Among so many times k the bonus for liked categories reorders.
_DEPTH = 4
_MAX_WORDS = 50


@dataclasses.dataclass(frozen=True)
class Completion:
    """A text to search for; its key starts with the key of the prefix."""

    text: str
    kind: str  # history, query, category, brand, title or word
    score: float
    corrected: bool = False  # the prefix was corrected first


@dataclasses.dataclass(frozen=True)
class _Source:
    text: str
    kind: str
    category: str


class Completer:
    """Completes prefixes from a lexicon; holds no state of any person."""

    def __init__(
        self, lexicon: Lexicon, vocabulary: Vocabulary, config: SuggestConfig
    ) -> None:
        self._config = config
        self._vocabulary = vocabulary
        self._index = PrefixIndex(_entries(lexicon, config))

    def complete(
        self,
        prefix: str,
        *,
        history_queries: Sequence[str] = (),
        categories: Sequence[str] = (),
        k: int = 10,
    ) -> list[Completion]:
        """Up to k completions, no two with the same key.

        One's own queries come first, newest first; then popular queries, categories,
        brands and titles by score; then the last word alone is completed.

        Args:
          prefix: what was typed so far; '' gives one's own and the most popular.
          history_queries: the person's earlier queries, oldest first.
          categories: paths that the person likes; completions below them gain.
          k: length of the list.
        """
        prefix = prefix[:MAX_QUERY_CHARACTERS]
        key = prefix_key(prefix)
        if not key and prefix.strip():  # nothing that could be searched for
            return []
        found: dict[str, Completion] = {}
        for each_key, completion in self._candidates(
            prefix, key, history_queries, categories, k
        ):
            found.setdefault(each_key, completion)
            if len(found) == k:
                break
        return list(found.values())

    def _candidates(
        self,
        prefix: str,
        key: str,
        history_queries: Sequence[str],
        categories: Sequence[str],
        k: int,
    ) -> Iterator[tuple[str, Completion]]:
        yield from self._own(key, history_queries)
        yield from self._popular(key, categories, k)
        if key:
            yield from self._last_word(prefix)

    def _own(
        self, key: str, history_queries: Sequence[str]
    ) -> Iterable[tuple[str, Completion]]:
        own: dict[str, Completion] = {}
        for query in reversed(history_queries):
            if len(own) == self._config.max_history:
                break
            query_key = completion_key(query, MAX_QUERY_CHARACTERS)
            if query_key and query_key.startswith(key):
                own.setdefault(query_key, Completion(query, HISTORY, 1.0))
        return own.items()

    def _popular(
        self, key: str, categories: Sequence[str], k: int
    ) -> list[tuple[str, Completion]]:
        bonus = self._config.category_bonus
        found = []
        for each_key, score, source in self._index.top(key, _DEPTH * k):
            score += bonus if _below(source.category, categories) else 0.0
            found.append((each_key, Completion(source.text, source.kind, score)))
        return sorted(found, key=lambda entry: -entry[1].score)

    def _last_word(self, prefix: str) -> Iterator[tuple[str, Completion]]:
        """The first word by popularity, later ones by what stood behind the last.

        The words before stay as typed. Words that never stood behind the last one are
        left out: with them the page would be empty.
        """
        found = units(prefix)
        if prefix[-1].isspace() or not found:
            before, beginning, start = found[-1:], "", len(prefix)
        else:
            before, beginning, start = found[-2:-1], found[-1].surface, found[-1].start
        if before:
            follow = self._vocabulary.after(before[0].surface)
            words = [word for word in follow if word.startswith(beginning)]
        else:
            words = self._vocabulary.beginning_with(beginning, _MAX_WORDS)
        for word in words[:_MAX_WORDS]:
            text = prefix[:start] + word
            score = self._vocabulary.popularity(word)
            yield completion_key(text), Completion(text, WORD, score)


def _entries(
    lexicon: Lexicon, config: SuggestConfig
) -> Iterator[tuple[str, float, _Source]]:
    """Key, score and source: log-popularity within a kind, times the kind's weight."""
    rows: Iterable[tuple[str, float, str, str]] = [
        *((q.query, q.weight, lexicons.QUERY, q.category) for q in lexicon.queries),
        *((p.text, p.weight, p.kind, p.category) for p in lexicon.phrases),
    ]
    strongest: dict[str, float] = {}
    for _, weight, kind, _ in rows:
        strongest[kind] = max(strongest.get(kind, 0.0), weight)
    of_kind = {
        lexicons.QUERY: config.query_weight,
        lexicons.CATEGORY: config.category_weight,
        lexicons.BRAND: config.brand_weight,
        lexicons.TITLE: config.title_weight,
    }
    for text, weight, kind, category in rows:
        share = math.log1p(weight) / max(math.log1p(strongest[kind]), 1e-9)
        source = _Source(text, kind, category)
        yield completion_key(text), of_kind[kind] * share, source


def _below(category: str, liked: Sequence[str]) -> bool:
    path = category + CATEGORY_SEPARATOR
    return any(path.startswith(each + CATEGORY_SEPARATOR) for each in liked if each)
