"""Repeats by hand: four users, three items, two categories, a cut-off at day 100."""

from __future__ import annotations

import numpy as np
import pytest

from tests.trainer.funnel.test_popularity import EVENTS
from trainer.funnel.event_log import EventLog
from trainer.funnel.repeats import habits, transition_rates

DAY = 86_400


@pytest.fixture
def log() -> EventLog:
    return log_of(EVENTS, num_items=3)


def log_of(events: list[tuple[int, int, int]], num_items: int) -> EventLog:
    users, rows, days = (np.array(c) for c in zip(*events, strict=True))
    return EventLog(
        as_of=100 * DAY,
        num_items=num_items,
        num_users=int(users.max()) + 1,
        users=users,
        rows=rows,
        kinds=np.zeros(len(users), np.int64),
        timestamps=100 * DAY - days * DAY,
    )


def test_habits_need_two_visits(log: EventLog) -> None:
    rate, gap = habits(log, DAY)
    # Of five pairs of user and item one repeats: the mean is (1 + 1) / (5 + 10).
    mean = 2 / 15
    expected = [(1 + 10 * mean) / 12, 10 * mean / 13, mean]
    np.testing.assert_allclose(rate, expected, rtol=1e-6)
    # One gap of 30 days, which is also the mean over all items.
    np.testing.assert_allclose(gap, [30, 30, 30], rtol=1e-6)


def test_an_item_takes_after_its_category() -> None:
    # Items 0, 1: one category, gaps of 20 and 40 days; item 2: the other, none.
    repeats = [(0, 0, 60), (0, 0, 40), (1, 1, 60), (1, 1, 20), (2, 2, 30), (3, 2, 9)]
    rate, gap = habits(
        log_of(repeats, num_items=4), DAY, np.array([0, 0, 1, 0], np.int32)
    )
    # Mean over gaps: 30, and so the first category's: (20 + 40 + 5 * 30) / 7.
    expected = [(20 + 150) / 6, (40 + 150) / 6, 30, 30]
    np.testing.assert_allclose(gap, expected, rtol=1e-6)
    mean = (2 + 1) / (4 + 10)
    first, second = (2 + 10 * mean) / (2 + 10), (0 + 10 * mean) / (2 + 10)
    expected = [(1 + 10 * first) / 11] * 2 + [10 * second / 12, first]
    np.testing.assert_allclose(rate, expected, rtol=1e-6)


def test_nothing_repeats() -> None:
    rate, gap = habits(log_of([(0, 0, 3), (1, 1, 2)], num_items=2), DAY)
    assert gap.tolist() == [0, 0]
    assert 0 < rate[0] < 0.1


def test_transition_rates_ask_active_users_only(log: EventLog) -> None:
    # In the last 30 days users 0, 1, 2 are active. Owners from before: user 0 of item
    # 0 (bought again) and user 3 of item 1, who is not active.
    again, anew = transition_rates(log, 30)
    mean = 1 / 1
    np.testing.assert_allclose(again[0], (1 + 10 * mean) / (1 + 10), rtol=1e-6)
    # First purchases: item 0 by user 1 of two others; item 1 by users 0 and 2 of three.
    np.testing.assert_allclose(anew, [1 / 12, 2 / 13, 0], rtol=1e-6)


def test_transition_rates_take_after_the_category() -> None:
    # Owners from before, all active: of item 0 users 0, 1 (0 buys again), of item 1
    # user 2 (does not).
    events = [(0, 0, 50), (1, 0, 50), (2, 1, 50), (0, 0, 5), (1, 2, 5), (2, 2, 5)]
    again, _ = transition_rates(
        log_of(events, num_items=3), 30, np.array([0, 1, 0], np.int32)
    )
    mean = 1 / 3
    first, second = (1 + 10 * mean) / (2 + 10), 10 * mean / (1 + 10)
    expected = [(1 + 10 * first) / 12, 10 * second / 11, first]
    np.testing.assert_allclose(again, expected, rtol=1e-6)
