"""`souk query suggest`: completions from the lexicon beside the pushed model."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table
from rich.text import Text

import shops
from components.pusher.push import newest_version
from core import features
from core.errors import ArtifactError
from core.layout import HomeLayout
from pipeline.query import newest_shop
from pipeline.shop_argument import shop_name
from serving.suggest import Completion, Suggester

# Categories of what the person clicked or bought most.
_NUM_CATEGORIES = 3


@dataclasses.dataclass(frozen=True)
class SearchPast:
    """What completions may know of a person."""

    queries: tuple[str, ...] = ()  # oldest first, each once, at its last time
    categories: tuple[str, ...] = ()  # best liked first


def load_suggester(layout: HomeLayout) -> Suggester:
    """The suggester of the shop's newest pushed version.

    Raises:
      ArtifactError: nothing was pushed, or the version holds no lexicon.
    """
    version = newest_version(layout.serving)
    if version is None:
        raise ArtifactError(
            f"`{layout.serving}` must hold a pushed model. Received: none. "
            f"Run `souk run {layout.shop}` first."
        )
    return Suggester.load(version)


def search_past(tables: shops.Tables, user: str, at: int) -> SearchPast:
    """A person's queries and liked categories strictly before `at`, seconds UTC."""
    events = tables.events
    mine = pc.and_(
        pc.equal(events.column(features.USER_ID), user),
        pc.less(events.column(features.TIMESTAMP), at),
    )
    events = events.filter(mine).sort_by(features.TIMESTAMP)
    latest: dict[str, bool] = {}  # a query typed again moves to the end
    if features.QUERY in events.column_names:
        for query in events.column(features.QUERY).to_pylist():
            if query:
                latest.pop(query, None)
                latest[query] = True
    return SearchPast(tuple(latest), _liked_categories(tables.items, events))


def suggest(
    console: Console,
    home: Path,
    shop: str | None,
    *,
    prefix: str,
    user: str,
    at: int | None,
    k: int,
) -> None:
    """Prints completions; `at` in seconds UTC, None for the end of training data."""
    home = home.resolve()
    layout = HomeLayout(home, shop_name(shop) if shop else newest_shop(home))
    suggester = load_suggester(layout)
    past = SearchPast()
    if user:
        settings = shops.read_tables(layout.tables)
        end = settings.splits.test_start if at is None else at
        past = search_past(settings.tables, user, end)
    found = suggester.suggest(
        prefix, history_queries=past.queries, categories=past.categories, k=k
    )
    _print(console, prefix, found)


def _liked_categories(items: pa.Table, events: pa.Table) -> tuple[str, ...]:
    if features.CATEGORY not in items.column_names:
        return ()
    strong = events.filter(pc.not_equal(events.column(features.EVENT), features.VIEW))
    touched = Counter(strong.column(features.ITEM_ID).to_pylist())
    ids = items.column(features.ITEM_ID)
    rows = items.filter(pc.is_in(ids, value_set=pa.array(list(touched), pa.string())))
    liked: Counter[str] = Counter()
    for item_id, category in zip(
        rows.column(features.ITEM_ID).to_pylist(),
        rows.column(features.CATEGORY).to_pylist(),
        strict=True,
    ):
        if category:
            liked[category] += touched[item_id]
    return tuple(category for category, _ in liked.most_common(_NUM_CATEGORIES))


def _print(console: Console, prefix: str, found: list[Completion]) -> None:
    if not found:
        console.print(f"suggest {prefix!r}: no completion.", markup=False)
        return
    note = " (corrected)" if found[0].corrected else ""
    console.print(f"suggest {prefix!r}{note}", markup=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("", justify="right", style="dim")
    table.add_column("completion", overflow="fold")
    table.add_column("kind", style="dim")
    for number, completion in enumerate(found, 1):
        table.add_row(str(number), Text(completion.text), completion.kind)
    console.print(table)
