"""How many moments over a whole catalogue are held in memory at once."""

from __future__ import annotations

# Numbers for each item that a page is made from: signals of the funnel and of search.
PAGE = 24
# Numbers held at once, of 2 to 4 bytes; what is computed from them takes as much again.
_ROOM = 150_000_000


def moments_at_once(limit: int, num_items: int, signals: int = PAGE) -> int:
    """`limit`, or as many as there is room for; at least 1.

    Whole pages are 62 at a time for 100,000 items, 6 for a million.

    Args:
      signals: how many numbers each has for every item.
    """
    return max(1, min(limit, _ROOM // (signals * max(num_items, 1))))
