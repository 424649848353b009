"""A page for a person at a terminal: the pushed bundle asked, titles looked up."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table
from rich.text import Text

from core import features
from core.config.souk import SoukConfig
from core.errors import ArtifactError
from core.layout import HomeLayout

EXAMPLE_LENGTH = 10
# What search looks into.
_TEXTS = (features.TITLE, features.CATEGORY, features.BRAND, features.DESCRIPTION)


@dataclasses.dataclass(frozen=True)
class Person:
    """What a request carries of a person: the newest events, oldest first."""

    user_id: str
    timestamp: int
    history_item_ids: list[str]
    history_events: list[str]
    history_timestamps: list[int]
    context: dict[str, str]


class ShopTables:
    """The canonical tables as `souk query` needs them: titles and histories."""

    def __init__(self, layout: HomeLayout, context_features: tuple[str, ...]) -> None:
        """Raises ArtifactError where the shop has not been run yet."""
        path = layout.tables / "items.parquet"
        if not path.is_file():
            raise ArtifactError(
                f"`{layout.root}` must hold a shop that was run. Received: no "
                f"`{path.name}`. Run `souk run {layout.shop}` first."
            )
        self.shop = layout.shop
        items = pq.read_table(path)
        ids = items.column(features.ITEM_ID).to_pylist()
        titles = items.column(features.TITLE).to_pylist()
        self.titles: dict[str, str] = dict(zip(ids, titles, strict=True))
        self._rows = {item_id: row for row, item_id in enumerate(ids)}
        self._texts = [items.column(n) for n in _TEXTS if n in items.column_names]
        self._prices: dict[str, float | None] = {}
        if features.PRICE in items.column_names:
            prices = items.column(features.PRICE).to_pylist()
            self._prices = dict(zip(ids, prices, strict=True))
        self._events = pq.read_table(layout.tables / "events.parquet")
        self._context = context_features

    def price(self, item_id: str) -> float | None:
        return self._prices.get(item_id)

    def text(self, item_id: str) -> str:
        """All that search can find an item by, a line each; '' for an unknown item."""
        row = self._rows.get(item_id)
        if row is None:
            return ""
        return "\n".join(column[row].as_py() or "" for column in self._texts)

    def person(self, user_id: str, at: int, max_history: int) -> Person:
        """The person's newest events strictly before `at`; a stranger has none."""
        events = self._events
        mine = pc.and_(
            pc.equal(events.column(features.USER_ID), user_id),
            pc.less(events.column(features.TIMESTAMP), at),
        )
        events = events.filter(mine).sort_by(features.TIMESTAMP)
        events = events.slice(max(events.num_rows - max_history, 0))
        return Person(
            user_id=user_id,
            timestamp=at,
            history_item_ids=events.column(features.ITEM_ID).to_pylist(),
            history_events=events.column(features.EVENT).to_pylist(),
            history_timestamps=events.column(features.TIMESTAMP).to_pylist(),
            context={
                name: next(
                    (v for v in reversed(events.column(name).to_pylist()) if v), ""
                )
                for name in self._context
            },
        )

    def busiest_user(self, at: int) -> str:
        """The person with the most events before `at`: one with something to show."""
        users = self._events.filter(
            pc.less(self._events.column(features.TIMESTAMP), at)
        ).column(features.USER_ID)
        names, counts = np.unique(users.to_numpy(), return_counts=True)
        return str(names[np.argmax(counts)])


def print_page(
    console: Console,
    tables: ShopTables,
    *,
    title: str,
    item_ids: list[str],
    scores: list[float],
    reasons: list[str],
    notes: Sequence[str] = (),
) -> None:
    """Prints one page below its title and notes; says so where it is empty."""
    shown = [(i, s, r) for i, s, r in zip(item_ids, scores, reasons, strict=True) if i]
    # As Text, here and below: what stands in brackets in a title or query is no markup.
    first = Text(title, "italic") if shown else Text(f"{title}: an empty page.")
    for line in (first, *map(Text, notes)):
        console.print(line, soft_wrap=True)
    if not shown:
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("", justify="right", style="dim")
    for name in ("item", "title", "reason"):
        table.add_column(name, overflow="fold")
    for name in ("price", "score"):
        table.add_column(name, justify="right")
    for number, (item_id, score, reason) in enumerate(shown, 1):
        price = tables.price(item_id)
        table.add_row(
            str(number),
            Text(item_id),
            Text(tables.titles.get(item_id, "")),
            reason,
            "" if price is None else f"{price:.2f}",
            f"{score:.3f}",
        )
    console.print(table)


def show_example(
    console: Console, layout: HomeLayout, config: SoukConfig, version: Path
) -> None:
    """Asks a pushed version for the page of the person with the longest history."""
    from core import signatures

    tables = ShopTables(layout, config.shop.context_features)
    at = config.splits.test_start
    person = tables.person(tables.busiest_user(at), at, config.splits.max_history)
    title = f"recommend for user {person.user_id}"
    _show_page(console, tables, version, signatures.RECOMMEND, person, title)


def show_search_example(
    console: Console, layout: HomeLayout, config: SoukConfig, version: Path
) -> None:
    """Asks a pushed version what answers the most judged query, or else a title."""
    import tensorflow as tf

    from core import signatures

    tables = ShopTables(layout, config.shop.context_features)
    at = config.splits.test_start
    query = _example_query(layout, tables)
    _show_page(
        console,
        tables,
        version,
        signatures.SEARCH,
        tables.person("", at, config.splits.max_history),
        f'search "{query}"',
        {features.QUERY: tf.constant([query])},
    )


def _example_query(layout: HomeLayout, tables: ShopTables) -> str:
    path = layout.tables / "judgments.parquet"
    if path.is_file():
        counts = pq.read_table(path, columns=[features.QUERY])[features.QUERY]
        found = counts.value_counts().to_pylist()
        if found:
            most = min(found, key=lambda entry: (-entry["counts"], entry["values"]))
            return str(most["values"])
    return next(iter(tables.titles.values()))


def _show_page(
    console: Console,
    tables: ShopTables,
    version: Path,
    signature: str,
    person: Person,
    title: str,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Asks a SavedModel for one page and prints it; `more` are further inputs."""
    import tensorflow as tf

    from core import signatures

    inputs = {
        **(more or {}),
        features.USER_ID: tf.constant([person.user_id]),
        features.HISTORY_ITEM_IDS: tf.constant([person.history_item_ids], tf.string),
        features.HISTORY_EVENTS: tf.constant([person.history_events], tf.string),
        features.HISTORY_TIMESTAMPS: tf.constant([person.history_timestamps], tf.int64),
        features.TIMESTAMP: tf.constant([person.timestamp], tf.int64),
        **{name: tf.constant([value]) for name, value in person.context.items()},
        signatures.EXCLUDE_ITEM_IDS: tf.constant([[""]]),
        signatures.CATEGORIES: tf.constant([[""]]),
        signatures.PRICE_MIN: tf.zeros([1]),
        signatures.PRICE_MAX: tf.zeros([1]),
        signatures.IN_STOCK_ONLY: tf.constant([False]),
        signatures.K: tf.constant(EXAMPLE_LENGTH),
    }
    model = tf.saved_model.load(str(version))
    outputs = model.signatures[signature](**inputs)
    texts = {
        name: [value.decode() for value in outputs[name][0].numpy()]
        for name in (signatures.ITEM_IDS, signatures.REASONS)
    }
    print_page(
        console,
        tables,
        title=title,
        item_ids=texts[signatures.ITEM_IDS],
        scores=outputs[signatures.SCORES][0].numpy().tolist(),
        reasons=texts[signatures.REASONS],
    )
