""" "Did you mean": when a correction is offered, and when it stands in for the query.

The rule. A correction exists only where a word of the query is unknown to the shop. The
page of the query as typed is asked for first; it is good if at least `min_good_matches`
of its items hold every word of the query. A good page is shown as it is, with the
correction as an offer. Otherwise the corrected query is asked for, and its page is
shown ("showing results for") only if more of its items hold every word of it or, where
as many do, its items hold more of its words; else the first page stays.
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
    held = count_matches(query, titles(page))
    if held[0] < config.min_good_matches:
        corrected = ask(correction.text)
        if count_matches(correction.text, titles(corrected)) > held:
            return SearchAnswer(corrected, query, correction.text, "")
    return SearchAnswer(page, query, query, correction.text)


def count_matches(query: str, texts: Iterable[str]) -> tuple[int, int]:
    """How many texts hold every term of the query, and how many terms all texts hold.

    A term counts once per text; a query without any gives 0 and 0.
    """
    wanted = set(terms(query, MAX_QUERY_CHARACTERS))
    held = [len(wanted.intersection(terms(text))) for text in texts]
    complete = sum(number == len(wanted) for number in held) if wanted else 0
    return complete, sum(held)
