"""Accidental hits, hard negatives and the share of item pairs."""

from __future__ import annotations

import numpy as np

from core.config.text_encoder import TextEncoderConfig
from trainer.text_encoder.pair_batches import PairBatches, epoch_pairs
from trainer.text_encoder.pairs import TrainingPairs, make_pairs, no_pairs

CONFIG = TextEncoderConfig.tiny().replace(contrastive_batch=4, hard_negatives=1)
# Item r is the one token 10 + r, query q the one token 50 + q.
ITEM_IDS = np.arange(10, 16, dtype=np.int32)[:, None]
QUERY_IDS = np.arange(50, 53, dtype=np.int32)[:, None]


def batches(pairs: TrainingPairs, hard: list[list[int]] | None = None) -> list:
    rng = np.random.default_rng(0)
    return list(PairBatches(QUERY_IDS, ITEM_IDS, pairs, CONFIG, hard, rng).epoch())


def test_items_that_the_query_led_to_are_no_negatives() -> None:
    # Query 0 led to items 0 and 1, query 1 to item 0.
    chosen = make_pairs([0, 0, 1], [0, 1, 0], [1, 1, 1])
    pairs = TrainingPairs(("a", "b", "c"), chosen, no_pairs(), chosen)
    left, right, forbidden, weights = batches(pairs)[0]
    known = {(50, 10), (50, 11), (51, 10)}
    expected = [[(int(q), int(i)) in known for i in right[:, 0]] for q in left[:, 0]]
    assert forbidden.tolist() == expected
    assert forbidden.sum() == 8  # of 9: only (query 1, item 1) is free
    assert weights.tolist() == [1, 1, 1]


def test_an_item_is_no_negative_of_itself_nor_of_what_was_bought_with_it() -> None:
    bought = make_pairs([0, 0], [1, 2], [1, 1])
    pairs = TrainingPairs((), no_pairs(), bought, no_pairs())
    left, right, forbidden, _ = batches(pairs)[0]
    assert left[:, 0].tolist() == [10, 10] and sorted(right[:, 0]) == [11, 12]
    assert forbidden.all()  # both belong to item 0


def test_hard_negatives_join_the_batch_without_what_people_chose() -> None:
    chosen = make_pairs([0, 1], [0, 1], [1, 1])
    pairs = TrainingPairs(("a", "b"), chosen, no_pairs(), chosen)
    # Of query 0 only item 3 is left: item 0 was chosen and -1 pads; query 1 has none.
    _, right, forbidden, _ = batches(pairs, [[0, 3, -1], []])[0]
    assert right.shape[0] == 3 and right[2, 0] == 13
    assert forbidden.shape == (2, 3) and not forbidden[:, 2].any()


def test_what_people_chose_is_no_negative_where_it_is_not_trained_on() -> None:
    # Query 0 led to items 0, 1 and 3; it trains on item 0, query 1 on item 1.
    trained = make_pairs([0, 1], [0, 1], [1, 1])
    chosen = make_pairs([0, 0, 0, 1], [0, 1, 3, 1], np.ones(4))
    pairs = TrainingPairs(("a", "b"), trained, no_pairs(), chosen)
    # Item 3 is no hard negative of query 0; of query 1 it is one.
    left, right, forbidden, _ = batches(pairs, [[3], [3]])[0]
    known = {(50, 10), (50, 11), (50, 13), (51, 11)}
    expected = [[(int(q), int(i)) in known for i in right[:, 0]] for q in left[:, 0]]
    assert sorted(right[:, 0]) == [10, 11, 13] and forbidden.tolist() == expected


def test_item_pairs_are_drawn_in_proportion_to_query_pairs() -> None:
    queries = make_pairs([0] * 8, np.arange(8) % 6, np.ones(8))
    items = make_pairs(np.arange(5), np.arange(5) + 1, np.ones(5))
    config = CONFIG.replace(cobought_share=0.25)
    rng = np.random.default_rng(1)
    pairs = TrainingPairs(("a",), queries, items, queries)
    _, drawn = epoch_pairs(pairs, config, rng)
    assert drawn.num_pairs == 2
    pairs = TrainingPairs((), no_pairs(), items, no_pairs())
    _, alone = epoch_pairs(pairs, config, rng)
    assert alone.num_pairs == 5
