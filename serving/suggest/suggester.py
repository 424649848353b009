"""Suggestions and spelling of one served version, from the lexicon beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from core.config.suggest import SuggestConfig
from core.errors import InvalidRequestError
from core.lexicon import LEXICON_PATH, Lexicon
from serving.suggest.answer import PageT, SearchAnswer, answer
from serving.suggest.completer import Completer, Completion
from serving.suggest.speller import Correction, Speller
from serving.suggest.vocabulary import Vocabulary


class Suggester:
    """Safe to share between threads: nothing changes after it was made."""

    def __init__(self, lexicon: Lexicon, config: SuggestConfig | None = None) -> None:
        self.config = config or SuggestConfig()
        self.as_of = lexicon.as_of
        vocabulary = Vocabulary.of(lexicon)
        self._completer = Completer(lexicon, vocabulary, self.config)
        self._speller = Speller(vocabulary, self.config)

    @classmethod
    def load(cls, version: Path, config: SuggestConfig | None = None) -> Suggester:
        """The suggester of a pushed version's folder (the SavedModel's).

        Raises:
          ArtifactError: the version has no lexicon, or not a whole one.
        """
        return cls(Lexicon.load(version / LEXICON_PATH), config)

    def suggest(
        self,
        prefix: str,
        *,
        history_queries: Sequence[str] = (),
        categories: Sequence[str] = (),
        k: int = 10,
    ) -> list[Completion]:
        """Up to k completions of what was typed, best first.

        Each one's key starts with the prefix's, or is marked as `corrected`: where
        nothing completes the prefix, its misspelt words are corrected first.

        Args:
          prefix: any text; '' gives the person's own and the most popular queries.
          history_queries: the person's earlier queries, oldest first; those that match
            come first.
          categories: paths that the person likes.
          k: 1 to `SuggestConfig.max_completions`.

        Raises:
          InvalidRequestError: k is out of range.
        """
        if not 1 <= k <= self.config.max_completions:
            raise InvalidRequestError(
                f"`k` must be between 1 and {self.config.max_completions} "
                f"(`SuggestConfig.max_completions`). Received: {k}."
            )

        def complete(text: str) -> list[Completion]:
            return self._completer.complete(
                text, history_queries=history_queries, categories=categories, k=k
            )

        found = complete(prefix)
        if not found:
            correction = self._speller.correct_prefix(prefix)
            if correction.changed:
                found = [
                    dataclasses.replace(completion, corrected=True)
                    for completion in complete(correction.text)
                ]
        return found

    def correct(self, query: str) -> Correction:
        """The query with its unknown words corrected where a known one is near."""
        return self._speller.correct(query)

    def search(
        self,
        query: str,
        *,
        ask: Callable[[str], PageT],
        titles: Callable[[PageT], Iterable[str]],
    ) -> SearchAnswer[PageT]:
        """The page of a query with "did you mean"; see `serving.suggest.answer`."""
        correction = self.correct(query)
        return answer(correction, query, ask=ask, titles=titles, config=self.config)
