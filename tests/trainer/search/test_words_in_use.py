"""Words of a shop's searches against one pass over the events."""

from __future__ import annotations

import collections
import random

import pyarrow as pa

from core.config import ShopConfig
from trainer.search.analyzer import Analyzer
from trainer.search.query_log import QueryLog, query_log
from trainer.search.words_in_use import words_in_use

ITEMS = pa.table({"item_id": ["i0", "i1"]})
AS_OF = 1_000
WORDS = ["mug", "jug", "tumbler", "cup", "red", "tin"]

Event = tuple[str, str, int, str]  # user, event, time, query


def log_of(events: list[Event], types: tuple[str, ...] = ("view", "click")) -> QueryLog:
    shop = ShopConfig(
        name="words",
        event_types=types,
        event_weights=(0.5, 1.0)[: len(types)],
        target_event=types[-1],
    )
    users, kinds, times, queries = zip(*events, strict=True)
    table = pa.table(
        {
            "user_id": users,
            "item_id": ["i0"] * len(events),
            "event": kinds,
            "timestamp": pa.array(times, pa.int64()),
            "query": queries,
        }
    )
    return query_log(ITEMS, table, shop, Analyzer())


def test_they_equal_one_pass_over_the_events() -> None:
    rng = random.Random(4)
    events = [
        (
            f"u{rng.randrange(7)}",
            "click" if rng.random() < 0.2 else "view",
            rng.randrange(2 * AS_OF),
            " ".join(rng.sample(WORDS, rng.randint(1, 3))),
        )
        for _ in range(120)
    ]
    clickers, searches = collections.defaultdict(set), collections.defaultdict(set)
    for user, event, time, query in events:
        for word in query.split() if time < AS_OF else ():
            searches[word].add((user, query))
            if event == "click":
                clickers[word].add(user)
    kept = sorted(word for word, users in clickers.items() if len(users) >= 2)
    assert kept and len(kept) < len(searches)
    words, counts = words_in_use(log_of(events), AS_OF)
    assert list(words) == kept
    assert counts.tolist() == [len(searches[word]) for word in kept]


def test_plurals_are_one_word_and_stop_words_none() -> None:
    events = [("a", "click", 1, "the Mugs"), ("b", "click", 2, "mug")]
    words, counts = words_in_use(log_of(events), AS_OF)
    assert words == ("mug",) and counts.tolist() == [2]


def test_a_shop_that_logs_views_alone() -> None:
    events = [("a", "view", 1, "mug"), ("b", "view", 2, "mug jug")]
    words, _ = words_in_use(log_of(events, ("view",)), AS_OF)
    assert words == ("mug",)


def test_nobody_searched() -> None:
    words, counts = words_in_use(log_of([("a", "click", 1, "")]), AS_OF)
    assert words == () and len(counts) == 0


def test_a_search_at_the_cutoff_does_not_count():
    events = [("a", "click", AS_OF - 1, "mug"), ("b", "click", AS_OF, "mug")]
    assert words_in_use(log_of(events), AS_OF)[0] == ()
    assert words_in_use(log_of(events), AS_OF + 1)[0] == ("mug",)
