"""Searches that nobody typed: some words of a title ask for its item."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from core import features
from core.config.text_encoder import TextEncoderConfig
from trainer.text_encoder.pairs import Pairs, TrainingPairs, make_pairs, query_key

_Made = tuple[str, int]  # key of a query, row of its item
_KEEP = 0.5  # of the words


def add_title_pairs(
    pairs: TrainingPairs, items: pa.Table, config: TextEncoderConfig
) -> TrainingPairs:
    """The pairs and `config.title_pairs` made-up queries per item.

    A shop without a search log, or with one that has just begun, still teaches which
    words name the same thing: half the words of a title, in their order, and the item.
    Chosen from the seed.
    """
    rng = np.random.default_rng(config.seed)
    titles = items.column(features.TITLE).to_pylist()
    made: list[_Made] = []
    written: dict[str, str] = {}
    for row, title in enumerate(titles):
        for _ in range(config.title_pairs):
            query = _some_words(title or "", rng)
            if query:
                key = query_key(query)
                written.setdefault(key, query)
                made.append((key, row))
    trained = made
    if len(made) > config.max_pairs:
        kept = rng.choice(len(made), config.max_pairs, replace=False)
        trained = [made[number] for number in np.sort(kept)]
    queries = {query_key(query): query for query in pairs.queries}
    for key, _ in trained:
        queries.setdefault(key, written[key])
    place = {key: number for number, key in enumerate(queries)}
    return TrainingPairs(
        tuple(queries.values()),
        _with(pairs.query_items, trained, place),
        pairs.item_items,
        _with(pairs.query_hits, made, place),
    )


def _with(asked: Pairs, made: list[_Made], place: dict[str, int]) -> Pairs:
    """Pairs that people made and made-up ones of the queries that have a place."""
    found = [(place[key], row) for key, row in made if key in place]
    return make_pairs(
        [*asked.left, *(query for query, _ in found)],
        [*asked.right, *(row for _, row in found)],
        [*asked.weights, *np.ones(len(found))],
    )


def _some_words(title: str, rng: np.random.Generator) -> str:
    words = title.split()
    if len(words) == 1:  # a script without spaces: a run of half the characters
        size = max(1, len(title) // 2)
        start = int(rng.integers(0, len(title) - size + 1))
        return title[start : start + size]
    kept = rng.random(len(words)) < _KEEP
    if len(words) and not kept.any():
        kept[rng.integers(len(words))] = True
    return " ".join(word for word, keep in zip(words, kept, strict=True) if keep)
