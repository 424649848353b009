"""Events that carry a query → search pages and the items that each one showed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

UNKNOWN_POSITION = -1


class Pages(NamedTuple):
    """P search pages, by user, start, query and session."""

    numbers: IntArray  # [E] page of each event, 0 .. P - 1
    first_rows: IntArray  # [P] row of each page's first event


class PageItems(NamedTuple):
    """N distinct items of pages, by page and position (unknown ones last)."""

    pages: IntArray  # [N] ascending
    items: IntArray  # [N]
    positions: IntArray  # [N] slot, 0 first; -1 where no event told it
    events: npt.NDArray[np.bool_]  # [N, K] what was done with the item on the page


def find_pages(
    users: IntArray,
    sessions: IntArray,
    queries: IntArray,
    timestamps: IntArray,
    gap_s: int,
) -> Pages:
    """Groups events that carry a query into pages: (user, session, query).

    Later events never change which page an earlier one belongs to.

    Args:
      users: [E] codes.
      sessions: [E] codes, -1 where the shop gave none: then a page ends where the user
        did nothing with the query for more than `gap_s`.
      queries: [E] codes; their order breaks ties between pages of one second.
      timestamps: [E] seconds UTC.
      gap_s: see `sessions`.
    """
    order = np.lexsort((timestamps, sessions, queries, users))
    is_new = np.zeros(len(order), dtype=bool)
    is_new[:1] = True
    for key in (users, queries, sessions):
        is_new[1:] |= np.diff(key[order]) != 0
    unnamed = sessions[order][1:] < 0
    is_new[1:] |= unnamed & (np.diff(timestamps[order]) > gap_s)
    first = order[is_new]
    by_start = np.lexsort(
        (sessions[first], queries[first], timestamps[first], users[first])
    )
    rank = np.empty(len(first), dtype=np.int64)
    rank[by_start] = np.arange(len(first))
    numbers = np.empty(len(order), dtype=np.int64)
    numbers[order] = rank[np.cumsum(is_new) - 1]
    return Pages(numbers, first[by_start].astype(np.int64))


def page_items(
    pages: IntArray,
    items: IntArray,
    positions: IntArray,
    kinds: IntArray,
    timestamps: IntArray,
    num_kinds: int,
) -> PageItems:
    """The distinct items of each page with what was done with them.

    An item that has several positions on a page stands at the earliest event's. Where
    a shop logs clicks without views, what was touched is all that is known to have
    been shown.

    Args:
      pages: [E] page of each event.
      items: [E] item codes.
      positions: [E] slot, -1 where unknown.
      kinds: [E] event type, 0 .. num_kinds - 1; others count as shown only.
      timestamps: [E] seconds UTC.
      num_kinds: K.
    """
    order = np.lexsort((positions, timestamps, positions < 0, items, pages))
    is_new = np.zeros(len(order), dtype=bool)
    is_new[:1] = True
    is_new[1:] = (np.diff(pages[order]) != 0) | (np.diff(items[order]) != 0)
    first = order[is_new]
    owner = np.cumsum(is_new) - 1
    done = np.zeros((len(first), num_kinds), dtype=bool)
    known = (kinds[order] >= 0) & (kinds[order] < num_kinds)
    done[owner[known], kinds[order][known]] = True
    slots = np.where(positions[first] < 0, UNKNOWN_POSITION, positions[first])
    last = np.where(slots < 0, np.iinfo(np.int64).max, slots)
    by_slot = np.lexsort((items[first], last, pages[first]))
    first = first[by_slot]
    return PageItems(pages[first], items[first], slots[by_slot], done[by_slot])
