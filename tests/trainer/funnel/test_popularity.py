"""Popularity by hand: four users, three items, a cut-off at day 100."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.funnel import popularity
from trainer.funnel.event_log import EventLog

DAY = 86_400

# user, item, days before the cut-off
EVENTS = [
    (0, 0, 50),
    (0, 0, 20),  # a repeat after 30 days
    (0, 1, 5),
    (1, 0, 10),
    (1, 0, 10),  # the same visit
    (2, 1, 5),
    (3, 1, 40),
]


@pytest.fixture
def log() -> EventLog:
    users, rows, days = (np.array(c) for c in zip(*EVENTS, strict=True))
    return EventLog(
        as_of=100 * DAY,
        num_items=3,
        num_users=4,
        users=users,
        rows=rows,
        kinds=np.zeros(len(users), np.int64),
        timestamps=100 * DAY - days * DAY,
    )


def test_buyers_are_distinct_users_within_the_window(log: EventLog) -> None:
    assert popularity.buyers(log).tolist() == [2, 3, 0]
    assert popularity.buyers(log, 14).tolist() == [1, 2, 0]
    assert popularity.buyers(log, 5).tolist() == [0, 2, 0]


def test_first_time_buyers_leave_repeats_out(log: EventLog) -> None:
    assert popularity.first_time_buyers(log, 30).tolist() == [1, 2, 0]


def test_trend_is_recent_over_ever(log: EventLog) -> None:
    # Item 0: users 0 and 1 within 30 days of 2 ever; item 1: 2 of 3; item 2: none.
    expected = [(2 + 1) / (2 + 10), (2 + 1) / (3 + 10), 1 / 10]
    np.testing.assert_allclose(popularity.trend(log, 30), expected, rtol=1e-6)


def test_ages_count_from_the_first_and_the_last_event(log: EventLog) -> None:
    assert popularity.item_ages(log).tolist() == [50, 40, 0]
    assert popularity.last_ages(log, 999.0).tolist() == [10, 5, 999]
