"""Simulated pages as the canonical tables."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from core import features
from shops import contract
from shops.simulated import texts
from shops.simulated.catalogue import Catalogue, IntArray
from shops.simulated.config import SimulatorConfig
from shops.simulated.people import COUNTRIES, DEVICES, People
from shops.simulated.queries import QueryBook
from shops.simulated.sessions import Pages
from shops.simulated.vocabulary import BRANDS

MAX_JUDGED_QUERIES = 300
SECONDS_TO_CLICK, SECONDS_PER_SLOT, SECONDS_TO_CART, SECONDS_TO_CHECKOUT = 5, 15, 6, 150


def items_table(config: SimulatorConfig, catalogue: Catalogue) -> pa.Table:
    """The `items` table; `in_stock` is as of the start of the test split."""
    day = (config.splits.test_start - config.start) // features.SECONDS_PER_DAY
    items = pd.DataFrame(
        {
            "item_id": catalogue.item_ids,
            "title": texts.titles(catalogue),
            "description": texts.descriptions(catalogue),
            "brand": _names(list(BRANDS), catalogue.brand),
            "category": _names(
                [each.path for each in catalogue.leaves], catalogue.leaf
            ),
            "price": catalogue.price.astype(np.float32),
            "in_stock": catalogue.available[day].astype(np.int64),
        }
    ).sort_values("item_id")
    return contract.to_table(items, "items")


def events_table(
    config: SimulatorConfig,
    catalogue: Catalogue,
    people: People,
    pages: Pages,
    queries: npt.NDArray[np.object_],
    rng: np.random.Generator,
) -> pa.Table:
    """The `events` table in the order of time."""
    start = config.start + pages.day * features.SECONDS_PER_DAY + pages.second
    flags = (pages.shown, pages.clicked, pages.carted, pages.bought)
    parts = [np.nonzero(flag) for flag in flags]
    page = np.concatenate([rows for rows, _ in parts])
    slot = np.concatenate([slots for _, slots in parts])
    kind = np.repeat(np.arange(len(flags)), [len(rows) for rows, _ in parts])
    click = SECONDS_TO_CLICK + SECONDS_PER_SLOT * slot
    delay = np.choose(
        kind, [np.zeros_like(slot), click, click + SECONDS_TO_CART, SECONDS_TO_CHECKOUT]
    )
    seconds = start[page] + delay
    order = np.lexsort((slot, kind, page, seconds))
    page, slot, kind, seconds = page[order], slot[order], kind[order], seconds[order]
    item = pages.items[page, slot]
    user = pages.user[page]
    session = np.argsort(np.argsort(start, kind="stable"), kind="stable")
    events = pd.DataFrame(
        {
            "user_id": _names(people.user_ids, user),
            "item_id": _names(catalogue.item_ids, item),
            "event": _names(list(features.EVENTS), kind),
            "timestamp": seconds,
            "quantity": _quantities(catalogue, item, kind, rng),
            "price": catalogue.price[item].astype(np.float32),
            "query": queries[page],
            "session_id": _names(
                [f"s{i:08d}" for i in range(len(start))], session[page]
            ),
            "position": slot,
            "country": _names(list(COUNTRIES), people.country[user]),
            "device": _names(list(DEVICES), people.device[user]),
        }
    )
    return contract.to_table(events, "events", ("country", "device"))


def judgments_table(
    catalogue: Catalogue, book: QueryBook, queries: npt.NDArray[np.object_]
) -> pa.Table:
    """The `judgments` table: true grades above 0 of the most frequent queries."""
    texts_typed, counts = np.unique(
        [text for text in queries if text is not None], return_counts=True
    )
    frequent = texts_typed[np.argsort(-counts, kind="stable")[:MAX_JUDGED_QUERIES]]
    ids = np.array(catalogue.item_ids, dtype=object)
    parts = []
    for query in sorted(frequent.tolist()):
        grades = book.grades(catalogue, query)
        judged = np.flatnonzero(grades > 0)
        parts.append(
            pd.DataFrame(
                {"query": query, "item_id": ids[judged], "grade": grades[judged]}
            )
        )
    return contract.to_table(pd.concat(parts, ignore_index=True), "judgments")


def _quantities(
    catalogue: Catalogue, item: IntArray, kind: IntArray, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Of what is bought: 1, and of consumables 1 to 3; null for other events."""
    many = np.where(catalogue.period_days[item] > 0, rng.integers(1, 4, len(item)), 1)
    is_purchase = kind == features.EVENTS.index(features.PURCHASE)
    return np.where(is_purchase, many, np.nan).astype(np.float32)


def _names(names: list[str], index: IntArray) -> npt.NDArray[np.object_]:
    return np.asarray(names, dtype=object)[index]
