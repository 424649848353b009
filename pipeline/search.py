"""`souk query search`: a running server's page for some words, with "did you mean"."""

from __future__ import annotations

from rich.console import Console

import shops
from core.text.tokens import MAX_QUERY_CHARACTERS, terms
from pipeline.pages import ShopTables
from pipeline.query import QueryOptions, name_of, request_of, show
from pipeline.suggest import load_suggester
from serving.client import Page, SoukClient
from serving.suggest import SearchAnswer


def search(
    console: Console, options: QueryOptions, *, query: str, user: str, at: int | None
) -> None:
    """Prints the page of a query, or of its correction where the query's own is poor.

    Which it is, `serving.suggest.answer` decides; the lexicon is the one beside the
    newest pushed model.

    Args:
      query: as typed; one without words gives an empty page.
      user: "" for a stranger.
      at: seconds UTC; None for the end of the data.

    Raises:
      ArtifactError: nothing was pushed, or the pushed version has no lexicon.
      ModelUnavailableError, InvalidRequestError: as `SoukClient.search`.
    """
    layout = options.layout
    settings = shops.read_tables(layout.tables)
    tables = ShopTables(layout, settings.config.context_features)
    at = settings.splits.test_start if at is None else at
    person = tables.person(user, at, settings.splits.max_history)
    suggester = load_suggester(layout)
    with SoukClient(options.target) as client:

        def ask(text: str) -> Page:
            return client.search(
                text, **request_of(person), filters=options.filters(), k=options.k
            )

        answer = suggester.search(
            query, ask=ask, titles=lambda page: map(tables.text, page.item_ids)
        )
    title = f"search {_quoted(query)} for {name_of(person)}"
    if not terms(query, MAX_QUERY_CHARACTERS):
        title = f"search {_quoted(query)} has no words to look for"
    show(console, tables, title, answer.page, notes=_notes(answer))


def _notes(answer: SearchAnswer[Page]) -> list[str]:
    """What stands above the page of a misspelt query."""
    if answer.is_corrected:
        return [f"showing results for {_quoted(answer.shown_for)}"]
    if answer.did_you_mean:
        return [f"did you mean {_quoted(answer.did_you_mean)}?"]
    return []


def _quoted(query: str) -> str:
    """The query on one line between quotes."""
    return f'"{" ".join(query.split())}"'
