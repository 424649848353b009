"""A shop whose searches say that sofa means couch, and jug means pitcher."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from core.config.text_encoder import TextEncoderConfig

BEFORE = 1_700_000_000
# What people type, and what the titles say: no letter run in common.
SYNONYMS = {"sofa": "couch", "jug": "pitcher", "lamp": "torch", "rug": "carpet"}
ADJECTIVES = ("red", "blue", "green", "oak", "large", "small", "soft", "old")
CONFIG = TextEncoderConfig(
    vocabulary_size=200,
    num_layers=1,
    hidden_dim=32,
    mlp_dim=64,
    max_query_tokens=8,
    max_item_tokens=12,
    pretrain_epochs=6,
    pretrain_batch=16,
    contrastive_epochs=30,
    contrastive_batch=32,
    learning_rate=3e-3,
    pretrain_learning_rate=3e-3,
)


def items() -> pa.Table:
    """32 items: every title noun with every adjective."""
    titles = [f"{a} {noun}" for noun in SYNONYMS.values() for a in ADJECTIVES]
    return pa.table(
        {
            "item_id": [f"i{row:02d}" for row in range(len(titles))],
            "title": titles,
            "brand": [f"brand{row % 3}" for row in range(len(titles))],
            "category": [None if row % 4 else "home > things" for row in range(32)],
        }
    )


def events(seed: int = 0) -> pa.Table:
    """Searches for `ADJECTIVE SYNONYM` with the click they lead to, a few purchases.

    Searches for the last adjective never happen: they are left to be tested.
    """
    rng = np.random.default_rng(seed)
    nouns = list(SYNONYMS)
    rows = []
    for number in range(400):
        noun, adjective = rng.integers(len(nouns)), rng.integers(len(ADJECTIVES) - 1)
        rows.append(
            {
                "user_id": f"u{number % 40:02d}",
                "item_id": f"i{noun * len(ADJECTIVES) + adjective:02d}",
                "event": "purchase" if number % 5 == 0 else "click",
                "timestamp": BEFORE - 1_000_000 + number * 100,
                "query": f"{ADJECTIVES[adjective]} {nouns[noun]}",
            }
        )
    return pa.Table.from_pylist(rows)


def held_out() -> tuple[list[str], list[int]]:
    """Queries that nobody typed, and the row of the item each asks for."""
    queries = [f"{ADJECTIVES[-1]} {noun}" for noun in SYNONYMS]
    last = len(ADJECTIVES) - 1
    return queries, [n * len(ADJECTIVES) + last for n in range(len(SYNONYMS))]
