"""Sums over a log of four searches, by hand."""

from __future__ import annotations

import pyarrow as pa
import pytest

from components.bundle.query_log import COLUMNS, sum_up_queries
from core import features
from core.config.suggest import LexiconConfig

DAY = features.SECONDS_PER_DAY
CONFIG = LexiconConfig(half_life_days=10.0)
ITEMS = pa.table(
    {
        "item_id": ["m", "j"],
        "title": ["mug", "jug"],
        "category": ["Kitchen > Mugs", "Kitchen > Jugs"],
    }
)
# user, session, event, item, query, day
ROWS = [
    ("u1", "s1", "view", "m", "Red mug", 90),
    ("u1", "s1", "view", "j", "Red mug", 90),
    ("u1", "s1", "purchase", "m", "Red mug", 90),
    ("u2", "s2", "view", "m", "red  MUG", 80),
    ("u2", "s2", "view", "j", "red  MUG", 80),
    ("u3", None, "view", "m", "red mug!", 90),
    ("u3", None, "view", "j", "red mug!", 90),
    ("u3", None, "view", "j", None, 91),
    ("u3", None, "view", "j", "🎉", 92),
    ("u4", "s4", "click", "j", "jug", 70),
    ("u5", "s5", "click", "m", "red mug", 100),
]


def events(rows: list[tuple]) -> pa.Table:
    names = ("user_id", "session_id", "event", "item_id", "query", "timestamp")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    days = columns.pop("timestamp")
    table = pa.table({name: pa.array(v, pa.string()) for name, v in columns.items()})
    return table.append_column("timestamp", pa.array([d * DAY for d in days]))


def test_searches_are_counted_once_and_decay() -> None:
    log = sum_up_queries(events(ROWS), ITEMS, as_of=100 * DAY, config=CONFIG)

    # s1, clicked, 10 days old: 2 * 1/2; s2, 20 days: 1/4; u3, 10 days: 1/2.
    # s4, clicked, 30 days: 2 * 1/8. s5 is not before day 100.
    red_mug, jug = log.to_dict("records")
    assert red_mug == {
        "query": "Red mug",  # all three spellings once; the first in order
        "count": 3,
        "users": 3,
        "clicks": 1,
        "last_seen": 90 * DAY,
        "weight": pytest.approx(1.75),
        "category": "Kitchen > Mugs",
    }
    assert (jug["query"], jug["weight"]) == ("jug", pytest.approx(0.25))
    assert jug["category"] == "Kitchen > Jugs"


def test_the_usual_spelling_is_shown() -> None:
    rows = [*ROWS, ("u6", "s6", "view", "m", "red  MUG", 95)]
    log = sum_up_queries(events(rows), ITEMS, as_of=100 * DAY, config=CONFIG)

    assert log["query"].iloc[0] == "red MUG"


@pytest.mark.parametrize("rows", [[(*row[:4], None, row[5]) for row in ROWS], ROWS[:0]])
def test_a_log_without_queries_gives_no_rows(rows: list[tuple]) -> None:
    table = events(rows) if rows else events(ROWS).slice(0, 0)
    for log in (table, table.drop(["query"])):
        found = sum_up_queries(log, ITEMS, as_of=100 * DAY, config=CONFIG)

        assert found.empty
        assert tuple(found.columns) == COLUMNS
