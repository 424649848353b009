"""Words that several people of a shop search with, whether an item has them or not."""

from __future__ import annotations

import numpy as np

from core import features
from trainer.search.impressions import IntArray
from trainer.search.query_log import QueryLog

# What one person typed is no word of the shop yet, and may name a person.
_MIN_USERS = 2


def words_in_use(log: QueryLog, as_of: int) -> tuple[tuple[str, ...], IntArray]:
    """Words of the searches before `as_of` that led several people somewhere.

    Somewhere: to a click, the cart or a purchase, or to anything in a shop that logs no
    more than views.

    Returns:
      W terms, ascending, and [W] how many pairs of a person and a query hold each.
    """
    early = (log.timestamps < as_of) & (log.kinds >= 0)
    text_of = log.text_of[log.raw_queries] if len(log.text_of) else log.raw_queries
    early &= text_of >= 0
    touches = np.array([name != features.VIEW for name in log.event_types])
    touched = touches[log.kinds] if touches.any() else np.ones(len(early), bool)
    by_text = [text.split() for text in log.texts]
    names = sorted({word for words in by_text for word in words})
    number = {word: place for place, word in enumerate(names)}
    lengths = np.array([len(words) for words in by_text], np.int64)
    flat = np.array([number[w] for words in by_text for w in words], np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])

    def pairs(rows: np.ndarray) -> tuple[IntArray, IntArray]:
        """User and word of each distinct pair of a user and a query."""
        size = max(len(log.texts), 1)
        keys = np.unique(log.users[rows] * size + text_of[rows])
        users, texts = keys // size, keys % size
        counts = lengths[texts]
        ends = np.cumsum(counts)
        at = np.arange(counts.sum()) - np.repeat(ends - counts, counts)
        return np.repeat(users, counts), flat[at + np.repeat(starts[texts], counts)]

    size = max(len(names), 1)
    users, words = pairs(early & touched)
    people = np.bincount(np.unique(users * size + words) % size, minlength=size)
    searches = np.bincount(pairs(early)[1], minlength=size)
    kept = np.flatnonzero(people[: len(names)] >= _MIN_USERS)
    return tuple(names[place] for place in kept), searches[kept].astype(np.int64)
