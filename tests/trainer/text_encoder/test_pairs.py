"""Pairs against ones worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from core.config.text_encoder import TextEncoderConfig
from core.features import SECONDS_PER_DAY
from trainer.text_encoder.pairs import no_pairs, training_pairs

CONFIG = TextEncoderConfig.tiny()
ITEMS = pa.table({"item_id": ["a", "b", "c"], "title": ["A", "B", "C"]})
DAY = SECONDS_PER_DAY
BEFORE = 100 * DAY


def events(*rows: tuple[str, str, str, int, str | None]) -> pa.Table:
    names = ("user_id", "item_id", "event", "timestamp", "query")
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def test_clicks_and_purchases_after_a_search_make_weighted_pairs() -> None:
    log = events(
        ("u", "b", "view", 1, "mug"),  # a view says nothing
        ("u", "b", "click", 2, "mug"),
        ("u", "b", "purchase", 3, " mug "),
        ("v", "a", "click", 4, "jug"),
        ("v", "a", "click", BEFORE, "late"),  # not strictly before
        ("v", "zz", "click", 5, "jug"),  # not in the catalogue
        ("v", "c", "click", 6, ""),
        ("v", "c", "click", 7, None),
    )
    found = training_pairs(ITEMS, log, CONFIG, before=BEFORE)
    assert found.queries == ("mug", "jug")
    assert found.query_items.left.tolist() == [0, 1]
    assert found.query_items.right.tolist() == [1, 0]
    # 1 + log(1 + 4) against 1 + log(1), mean 1.
    weights = np.array([1 + math.log(5), 1.0])
    np.testing.assert_allclose(
        found.query_items.weights, weights / weights.mean(), rtol=1e-6
    )


def test_purchases_of_one_person_within_a_day_belong_together() -> None:
    log = events(
        ("u", "b", "purchase", DAY, None),
        ("u", "a", "purchase", 2 * DAY, None),  # a day later: with b
        ("u", "c", "purchase", 4 * DAY, None),  # two days later: alone
        ("v", "c", "purchase", 4 * DAY, None),  # another person
        ("v", "c", "purchase", 4 * DAY, None),  # the same item twice is no pair
        ("v", "b", "click", 4 * DAY, None),
    )
    found = training_pairs(ITEMS, log, CONFIG, before=BEFORE).item_items
    assert (found.left.tolist(), found.right.tolist()) == ([0], [1])


def test_no_events_and_no_query_column_give_no_pairs() -> None:
    assert training_pairs(ITEMS, None, CONFIG, before=BEFORE).queries == ()
    log = events(("u", "a", "click", 1, None)).drop(["query"])
    found = training_pairs(ITEMS, log, CONFIG, before=BEFORE)
    assert found.query_items.num_pairs == found.item_items.num_pairs == 0


def test_the_heaviest_pairs_are_kept_in_their_order() -> None:
    log = events(
        ("u", "a", "click", 1, "mug"),
        ("u", "b", "purchase", 2, "mug"),
        ("u", "c", "cart", 3, "mug"),
    )
    config = CONFIG.replace(max_pairs=2)
    found = training_pairs(ITEMS, log, config, before=BEFORE)
    assert found.query_items.right.tolist() == [1, 2]
    assert found.query_items.weights.mean() == pytest.approx(1.0)
    assert found.query_hits.right.tolist() == [0, 1, 2]  # all that the query led to


def test_spellings_that_the_tokenizer_reads_alike_are_one_query() -> None:
    log = events(
        ("u", "a", "click", 1, "Sofa bed"),
        ("v", "b", "click", 2, "mug"),
        ("v", "a", "purchase", 3, " SOFA-BED"),
        ("w", "c", "click", 4, "sófa  bed!"),
        ("w", "c", "click", 5, "?"),  # no word: only itself
    )
    found = training_pairs(ITEMS, log, CONFIG, before=BEFORE)
    assert found.queries == ("Sofa bed", "mug", "?")
    pairs = found.query_items
    assert pairs.left.tolist() == [0, 1, 0, 2] and pairs.right.tolist() == [0, 1, 2, 2]
    # The click and the purchase of item a add up: 1 + log(1 + 4) against 1.
    assert pairs.weights[0] / pairs.weights[1] == pytest.approx(1 + math.log(5))


def test_no_pairs_are_empty() -> None:
    assert no_pairs().num_pairs == 0
