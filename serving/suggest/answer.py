""" "Did you mean": when a correction is offered, and when it stands in for the query.

The rule. A correction exists only where a word of the query is unknown to the shop. The
page of the query as typed is asked for first; it is good if at least `min_good_matches`
of its items hold every word of the query. A good page is shown as it is, with the
correction as an offer. Otherwise the corrected query is asked for, and its page is
shown ("showing results for") only if more of its items hold every word; else the first
page stays.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from core.config.suggest import SuggestConfig
from core.text.tokens import MAX_QUERY_CHARACTERS, terms
from serving.suggest.speller import Correction

PageT = TypeVar("PageT")


@dataclasses.dataclass(frozen=True)
class SearchAnswer(Generic[PageT]):
    """A page, the query it answers, and what to say above it."""

    page: PageT
    query: str  # as typed
    shown_for: str  # what the page answers; differs where the correction stands in
    did_you_mean: str  # a correction to offer; '' for none

    @property
    def is_corrected(self) -> bool:
        """Whether the page must say "showing results for"."""
        return self.shown_for != self.query


def answer(
    correction: Correction,
    query: str,
    *,
    ask: Callable[[str], PageT],
    titles: Callable[[PageT], Iterable[str]],
    config: SuggestConfig,
) -> SearchAnswer[PageT]:
    """The page of a query, or of its correction where the query's own is poor.

    Args:
      correction: of `query`.
      query: as typed.
      ask: search; called once, or twice where the first page is poor.
      titles: the texts of a page's items, in which the query's words are looked for.
      config: `min_good_matches`.
    """
    page = ask(query)
    if not correction.changed:
        return SearchAnswer(page, query, query, "")
    num_matches = count_matches(query, titles(page))
    if num_matches < config.min_good_matches:
        corrected = ask(correction.text)
        if count_matches(correction.text, titles(corrected)) > num_matches:
            return SearchAnswer(corrected, query, correction.text, "")
    return SearchAnswer(page, query, query, correction.text)


def count_matches(query: str, texts: Iterable[str]) -> int:
    """How many texts hold every term of the query; 0 for a query without any."""
    wanted = set(terms(query, MAX_QUERY_CHARACTERS))
    if not wanted:
        return 0
    return sum(wanted.issubset(terms(text)) for text in texts)
