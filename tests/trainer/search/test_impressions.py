"""Pages and their items, by hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainer.search.impressions import find_pages, page_items


def _array(*values: int) -> npt.NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def test_a_session_is_one_page_per_query_however_long() -> None:
    pages = find_pages(
        users=_array(0, 0, 0, 0),
        sessions=_array(3, 3, 3, 4),
        queries=_array(1, 1, 0, 1),
        timestamps=_array(50, 90_000, 60, 40),
        gap_s=10,
    )
    # By start: session 4 at 40, session 3 query 1 at 50, session 3 query 0 at 60.
    np.testing.assert_array_equal(pages.numbers, [1, 1, 2, 0])
    np.testing.assert_array_equal(pages.first_rows, [3, 0, 2])


def test_without_a_session_a_page_ends_at_a_gap() -> None:
    pages = find_pages(
        users=_array(0, 0, 0, 1, 0),
        sessions=_array(-1, -1, -1, -1, -1),
        queries=_array(0, 0, 0, 0, 0),
        timestamps=_array(0, 10, 21, 21, 31),
        gap_s=10,
    )
    np.testing.assert_array_equal(pages.numbers, [0, 0, 1, 2, 1])


def test_an_item_stands_once_where_its_first_known_position_was() -> None:
    # Item 7: touched without a position, seen in slot 2, later in slot 1.
    # Item 5: never with a position, so it comes last. Item 9: slot 0.
    shown = page_items(
        pages=_array(0, 0, 0, 0, 0),
        items=_array(7, 7, 7, 5, 9),
        positions=_array(-1, 2, 1, -1, 0),
        kinds=_array(1, 0, 0, 1, -1),
        timestamps=_array(1, 2, 3, 4, 5),
        num_kinds=2,
    )
    np.testing.assert_array_equal(shown.items, [9, 7, 5])
    np.testing.assert_array_equal(shown.positions, [0, 2, -1])
    np.testing.assert_array_equal(shown.events, [[0, 0], [1, 1], [0, 1]])


def test_no_events_make_no_pages() -> None:
    none = _array()
    pages = find_pages(none, none, none, none, 10)
    assert len(pages.numbers) == len(pages.first_rows) == 0
    shown = page_items(pages.numbers, none, none, none, none, 3)
    assert len(shown.items) == 0 and shown.events.shape == (0, 3)
