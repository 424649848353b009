"""How many moments over a whole catalogue are held in memory at once."""

from __future__ import annotations

# Numbers for each item that a page is made from: signals of the funnel and of search.
_PAGE = 24
# Numbers that a batch makes, of 4 bytes: more would only leave the processor's caches.
_BATCH = 48_000_000
# Numbers that stay, of 2 bytes.
_KEPT = 150_000_000


def batch_size(limit: int, num_items: int) -> int:
    """`limit` pages, or as many as a batch has room for (20 of 100,000 items), or 1."""
    return max(1, min(limit, _BATCH // (_PAGE * max(num_items, 1))))


def kept_moments(limit: int, num_items: int, signals: int) -> int:
    """`limit`, or as many as there is room for with all their signals; at least 1."""
    return max(1, min(limit, _KEPT // (signals * max(num_items, 1))))
