"""`souk query`: a page, or completions, for a person at a terminal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from core.errors import SoukError
from pipeline.command_line import fail, home_option


@click.group()
def query() -> None:
    """Ask a running server for a page and print it with titles."""


def _query_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--shop", help="By default the one whose model is newest."),
        click.option("--target", default="localhost:8500", show_default=True),
        click.option("-k", default=10, show_default=True, help="Length of the page."),
        click.option("--category", "categories", multiple=True, help="Only these."),
        click.option("--price-min", default=0.0, help="0: no limit."),
        click.option("--price-max", default=0.0, help="0: no limit."),
        click.option("--in-stock", is_flag=True, help="Only what is in stock."),
        click.option("--exclude", multiple=True, help="Item ids to leave out."),
        home_option,
    ):
        function = option(function)
    return function


def _at_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--at",
        type=click.DateTime(),
        help="UTC; the end of the training data by default.",
    )(function)


def _seconds(at: dt.datetime | None) -> int | None:
    return int(at.replace(tzinfo=dt.timezone.utc).timestamp()) if at else None


@query.command("recommend")
@click.option("--user", default="", help="User id; a stranger when left out.")
@_at_option
@_query_options
def query_recommend(user: str, at: dt.datetime | None, **options: Any) -> None:
    """The page for a person, with the history that the shop's tables hold."""
    from pipeline.query import QueryOptions, recommend

    try:
        recommend(Console(), QueryOptions(**options), user=user, at=_seconds(at))
    except SoukError as error:
        fail(error)


@query.command("search")
@click.argument("words")
@click.option("--user", default="", help="User id; a stranger when left out.")
@_at_option
@_query_options
def query_search(words: str, user: str, at: dt.datetime | None, **options: Any) -> None:
    """What answers WORDS, in the order that suits a person.

    A misspelt word is corrected from the lexicon beside the pushed model where the page
    of the words as typed is poor; the page then says so.
    """
    from pipeline.query import QueryOptions
    from pipeline.search import search

    try:
        search(
            Console(), QueryOptions(**options), query=words, user=user, at=_seconds(at)
        )
    except SoukError as error:
        fail(error)


@query.command("similar")
@click.argument("item_id")
@_query_options
def query_similar(item_id: str, **options: Any) -> None:
    """Items like ITEM_ID."""
    from pipeline.query import QueryOptions, similar

    try:
        similar(Console(), QueryOptions(**options), item_id=item_id)
    except SoukError as error:
        fail(error)


@query.command("suggest")
@click.argument("prefix")
@click.option("--user", default="", help="Whose earlier queries come first.")
@_at_option
@click.option("--shop", help="By default the one whose model is newest.")
@click.option("-k", default=10, show_default=True, help="Length of the list.")
@home_option
def query_suggest(
    prefix: str, user: str, at: dt.datetime | None, shop: str | None, k: int, home: Path
) -> None:
    """Completions of PREFIX, from the lexicon beside the pushed model.

    No server is asked. PREFIX '' gives the person's own and the most popular queries.
    """
    from pipeline.suggest import suggest

    try:
        suggest(Console(), home, shop, prefix=prefix, user=user, at=_seconds(at), k=k)
    except SoukError as error:
        fail(error)
