"""Searches that nobody typed: some words of a title ask for its item."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from core import features
from core.config.text_encoder import TextEncoderConfig
from trainer.text_encoder.pairs import TrainingPairs, make_pairs

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
    made: list[tuple[str, int]] = []
    for row, title in enumerate(titles):
        for _ in range(config.title_pairs):
            query = _some_words(title or "", rng)
            if query:
                made.append((query, row))
    if len(made) > config.max_pairs:
        kept = rng.choice(len(made), config.max_pairs, replace=False)
        made = [made[number] for number in np.sort(kept)]
    queries = list(dict.fromkeys([*pairs.queries, *(query for query, _ in made)]))
    place = {query: number for number, query in enumerate(queries)}
    asked = pairs.query_items
    found = make_pairs(
        [*asked.left, *(place[query] for query, _ in made)],
        [*asked.right, *(row for _, row in made)],
        [*asked.weights, *np.ones(len(made))],
    )
    return TrainingPairs(tuple(queries), found, pairs.item_items)


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
