"""A query that names an item finds it first, whatever people like."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from core.config.search import SearchConfig
from tests.trainer.search import funnel_world as world
from trainer.funnel.fusion import FusionWeights
from trainer.search.named_items import named_first, named_items
from trainer.search.search_funnel import SIGNALS

T, F = True, False


@pytest.mark.parametrize(
    ("whole", "matched", "num_words", "want"),
    [
        ([T, T, F], [T, T, T], 1, [T, T, F]),
        ([T, T, T], [T, T, T], 1, [F, F, F]),  # three share the one word: a kind
        ([T, T, T], [T, T, T], 2, [T, T, T]),
        ([T, T, T], [T, F, T], 1, [T, F, T]),  # one may not be shown
        ([F, F, F], [T, T, T], 2, [F, F, F]),
    ],
)
def test_items_with_all_words_are_named(
    whole: list[bool], matched: list[bool], num_words: int, want: list[bool]
) -> None:
    words = tf.constant([[num_words]], tf.int64)
    for limit, expected in ((2, want), (0, [F, F, F])):
        found = named_items(tf.constant([whole]), tf.constant([matched]), words, limit)
        assert found.numpy().tolist() == [expected]


@pytest.mark.parametrize(
    ("named", "real", "want"),
    [
        ([F, T, T, F], [T, T, T, T], [3.0, 3.001, 4.001, 2.0]),  # by 2.001
        ([T, F, F, F], [T, T, T, T], [3.0, 1.0, 2.0, 2.0]),  # leads already
        ([F, T, F, F], [F, T, T, T], [3.0, 2.001, 2.0, 2.0]),  # above no pad
        ([F, F, F, F], [T, T, T, T], [3.0, 1.0, 2.0, 2.0]),
        ([T, T, T, T], [T, T, T, T], [3.0, 1.0, 2.0, 2.0]),
    ],
)
def test_named_items_rise_above_the_others_in_their_own_order(
    named: list[bool], real: list[bool], want: list[float]
) -> None:
    scores = tf.constant([[3.0, 1.0, 2.0, 2.0]])
    found = named_first(scores, tf.constant([named]), tf.constant([real]))
    np.testing.assert_allclose(found, [want], rtol=1e-6)


@pytest.mark.parametrize(("limit", "first"), [(0, 3), (1, 1)])
def test_taste_does_not_stand_above_what_was_named(limit: int, first: int) -> None:
    linear = tuple(float(name == "person") for name in SIGNALS)
    fusion = FusionWeights(names=SIGNALS, linear=linear, root=(0.0,) * len(SIGNALS))
    search = world.search_funnel(SearchConfig(named_items=limit), fusion=fusion)
    # Whoever bought the blue glass jug asks for the blue enamel mug by its title.
    assert world.found(search, "blue enamel mug", history=(3,))[0] == first


@pytest.mark.parametrize(("limit", "all_first"), [(0, False), (1, True)])
def test_more_items_than_a_page_are_named_by_two_words(
    limit: int, all_first: bool
) -> None:
    linear = tuple(float(name == "person") for name in SIGNALS)
    fusion = FusionWeights(names=SIGNALS, linear=linear, root=(0.0,) * len(SIGNALS))
    search = world.search_funnel(SearchConfig(named_items=limit), fusion=fusion)
    # Every category begins with "Home"; four are "Home > mug". The jug was bought.
    mugs = {row for row, (_, _, kind, _) in enumerate(world.CATALOGUE) if kind == "mug"}
    found = world.found(search, "home mug", history=(3,))
    assert (set(found[:4]) == mugs) == all_first
    assert world.found(search, "home", history=(3,))[0] == 3
