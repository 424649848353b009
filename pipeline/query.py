"""`souk query`: a running server's page, with titles from the shop's tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

import shops
from core.errors import ArtifactError
from core.layout import HomeLayout
from core.progress import counted
from core.signatures import MODEL_NAME
from pipeline.pages import Person, ShopTables, print_page
from pipeline.shop_argument import shop_name
from serving.client import Filters, Page, SoukClient


@dataclasses.dataclass(frozen=True, kw_only=True)
class QueryOptions:
    """What every query takes."""

    shop: str | None
    home: Path
    target: str
    k: int
    categories: tuple[str, ...]
    price_min: float
    price_max: float
    in_stock: bool
    exclude: tuple[str, ...]

    @property
    def layout(self) -> HomeLayout:
        home = self.home.resolve()
        return HomeLayout(
            home, shop_name(self.shop) if self.shop else newest_shop(home)
        )

    def filters(self) -> Filters:
        return Filters(
            categories=self.categories,
            price_min=self.price_min,
            price_max=self.price_max,
            in_stock_only=self.in_stock,
            exclude_item_ids=self.exclude,
        )


def newest_shop(home: Path) -> str:
    """The shop below `home` whose model was pushed last.

    Raises:
      ArtifactError: nothing was pushed below `home` yet.
    """
    pushed = [
        (int(version.name), version.parents[2].name)
        for version in home.glob(f"*/serving/{MODEL_NAME}/*")
        if version.name.isdigit()
    ]
    if not pushed:
        raise ArtifactError(
            f"`{home}` must hold a shop with a pushed model. Received: none. "
            "Run `souk run` first, or name another --home."
        )
    return max(pushed)[1]


def recommend(
    console: Console, options: QueryOptions, *, user: str, at: int | None
) -> None:
    """Prints a person's page; `at` in seconds UTC, None for the end of the data."""
    settings = shops.read_tables(options.layout.tables)
    tables = ShopTables(options.layout, settings.config.context_features)
    at = settings.splits.test_start if at is None else at
    person = tables.person(user, at, settings.splits.max_history)
    with SoukClient(options.target) as client:
        page = client.recommend(
            **request_of(person), filters=options.filters(), k=options.k
        )
    show(console, tables, f"recommend for {name_of(person)}", page)


def similar(console: Console, options: QueryOptions, *, item_id: str) -> None:
    """Prints items like one item."""
    tables = ShopTables(options.layout, ())
    with SoukClient(options.target) as client:
        page = client.similar(item_id, filters=options.filters(), k=options.k)
    name = tables.titles.get(item_id, "an unknown item")
    show(console, tables, f"similar to {item_id} ({name})", page)


def request_of(person: Person) -> dict[str, Any]:
    """What a request says of a person, as the client's arguments."""
    return {
        "user_id": person.user_id,
        "history": zip(
            person.history_item_ids,
            person.history_events,
            person.history_timestamps,
            strict=True,
        ),
        "timestamp": person.timestamp,
        "context": person.context,
    }


def name_of(person: Person) -> str:
    """Whose page it is, for the line above it."""
    who = f"user {person.user_id}" if person.user_id else "a stranger"
    return f"{who} ({counted(len(person.history_item_ids), 'event')} of history)"


def show(
    console: Console,
    tables: ShopTables,
    title: str,
    page: Page,
    *,
    notes: Sequence[str] = (),
) -> None:
    """Prints a page below its title and notes."""
    ids = [item_id for item_id in page.item_ids if item_id]
    if ids and not any(item_id in tables.titles for item_id in ids):
        foreign = (
            f"No item of this page is in the tables of {tables.shop}: does the server "
            "have another shop's model? --shop names the shop, --target the server."
        )
        notes = (*notes, foreign)
    print_page(
        console,
        tables,
        title=title,
        item_ids=list(page.item_ids),
        scores=list(page.scores),
        reasons=list(page.reasons),
        notes=notes,
    )
