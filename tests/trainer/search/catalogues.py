"""Catalogues and queries for the tests of search."""

from __future__ import annotations

import numpy as np

from shops.simulated import texts
from shops.simulated.catalogue import build_catalogue
from shops.simulated.config import SIZES
from shops.simulated.queries import QueryBook


def simulated(size: str) -> tuple[dict[str, list[str]], list[str]]:
    """Texts of a simulated shop's items, and all that its people may type."""
    rng = np.random.default_rng(0)
    catalogue = build_catalogue(SIZES[size], rng)
    items = {
        "title": texts.titles(catalogue),
        "category": [catalogue.leaves[leaf].path for leaf in catalogue.leaf],
        "description": texts.descriptions(catalogue),
    }
    items["brand"] = [title.split()[0] for title in items["title"]]
    return items, list(QueryBook(catalogue, rng).intents)


def known_item_queries(titles: list[str], count: int) -> list[str]:
    """Some words of a title, shuffled; now and then one twice, or one unheard of."""
    rng = np.random.default_rng(1)
    queries = []
    for row in rng.integers(0, len(titles), count):
        words = np.array([*titles[row].split(), "mug"])
        picked = rng.choice(words, rng.integers(1, 1 + len(words))).tolist()
        queries.append(" ".join([*picked, *["qwxyz"] * int(rng.integers(2))]))
    return queries
