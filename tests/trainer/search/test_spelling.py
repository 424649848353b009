"""Corrections inside the graph, against all words one edit away by rapidfuzz."""

from __future__ import annotations

import dataclasses
import math
import random

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from rapidfuzz.distance import OSA

from core.config.lexical import LexicalConfig
from trainer.search.analyzer import Analyzer
from trainer.search.catalogue_words import CatalogueWords
from trainer.search.inverted_index import build_inverted_index
from trainer.search.query_clicks import QueryClicks
from trainer.search.spelling import MAX_WORDS, Spelling
from trainer.search.term_ids import TermIds

TITLES = [
    "Red enamel mug",
    "Red enamel jug",
    "Blue enamel mugs, two",
    "Christmas tissue paper",
    "Christmas bow",
    "Crème brûlée set",
    "白色 保温杯 bottle",
    "Красная чашка",
    "Cat litter 10 l",
    "Sofa cover",
]
NO_CLICKS = QueryClicks(
    as_of=1,
    num_items=len(TITLES),
    queries=(),
    splits=np.zeros(1, np.int32),
    rows=np.zeros(0, np.int32),
    rates=np.zeros(0, np.float32),
    counts=np.zeros(0, np.float32),
)


def used(**searches: int) -> QueryClicks:
    words = tuple(sorted(searches))
    counts = np.array([searches[word] for word in words])
    return dataclasses.replace(NO_CLICKS, words=words, word_searches=counts)


def reader(titles: list[str], clicks: QueryClicks = NO_CLICKS) -> TermIds:
    items = pa.table({"title": titles})
    analyzer, config = Analyzer(), LexicalConfig()
    terms = build_inverted_index(items, config, analyzer).terms
    spelling = Spelling(CatalogueWords(items), terms, clicks)
    return TermIds(terms, config, analyzer, spelling)


@pytest.fixture(scope="module")
def shop() -> TermIds:
    return reader(TITLES)


def texts_of(shop: TermIds, *queries: str) -> list[str]:
    """What stands in for each query, all in one batch."""
    _, _, texts = shop.read(tf.constant(list(queries), tf.string))
    return [text.decode() for text in texts.numpy()]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("enmael mug", "enamel mug"),  # two letters swapped
        ("cat liter", "cat litter"),  # one is missing
        ("enammel jug", "enamel jug"),  # one too many
        ("enamal mug", "enamel mug"),  # another one
        ("the ENAMAL mug!", "enamel mug"),
        ("chrismas bows", "christmas bow"),  # read as `chrisma`, written as in titles
        ("tisue of christma", "tissue christmas"),
        ("creme brulé", "creme brulee"),
        ("красна", "красная"),
        ("保温杯 botle", "保 温 杯 bottle"),
        ("bottle 保温杯", "bottle 保温杯"),  # nothing to correct: as typed
        ("xqzw mug", "xqzw mug"),  # nothing near
        ("xqzw enmael", "xqzw enamel"),
        ("mgu", "mug"),
        ("mg", "mg"),  # too short
        ("1000 l", "1000 l"),
        ("rde enmael mgu", "red enamel mug"),
        ("", ""),
        ("the of", "the of"),
    ],
)
def test_words_that_no_item_has_become_the_nearest_word(
    shop: TermIds, typed: str, read: str
) -> None:
    assert " ".join(texts_of(shop, typed)[0].split()) == read


def test_the_terms_are_those_of_the_corrected_query(shop: TermIds) -> None:
    typed = tf.constant(["enmael  mgus", "red jug", "保温杯 botle"])
    terms, joined, _ = shop.read(typed)
    wanted, joined_wanted, _ = shop.read(
        tf.constant(["enamel mugs", "red jug", "保温杯 bottle"])
    )
    np.testing.assert_array_equal(terms, wanted)
    np.testing.assert_array_equal(joined, joined_wanted)
    # `terms` alone says what was typed.
    assert shop(typed).numpy()[0].tolist()[:2] == [shop.unknown] * 2


def test_a_query_is_read_alike_alone_and_in_a_batch(shop: TermIds) -> None:
    words = ["red", "enamel", "mug", "two", "chrismas", "bwo", "rde", "xq", "the"]
    words += ["enmael", "10", "保温杯", "красна"]
    rng = random.Random(3)
    queries = [" ".join(rng.choices(words, k=rng.randrange(0, 12))) for _ in range(200)]
    assert texts_of(shop, *queries) == [texts_of(shop, q)[0] for q in queries]


def test_only_the_first_unknown_words_of_a_query_are_looked_up(shop: TermIds) -> None:
    many = " ".join(["mgu"] * (MAX_WORDS + 2))
    long, other = texts_of(shop, many, "mgu")
    assert long.split() == ["mug"] * MAX_WORDS + ["mgu"] * 2
    assert other == "mug"


def test_bytes_that_are_no_text_are_let_through(shop: TermIds) -> None:
    query = tf.constant([b"\xff\xfe enmael \x80"])
    assert shop.read(query)[2].numpy()[0].split() == [b"enamel"]


@pytest.mark.parametrize("seed", range(3))
def test_the_cheapest_of_all_words_one_edit_away(seed: int) -> None:
    """Oracle: every word of the catalogue, by OSA distance and the documented cost."""
    rng = random.Random(seed)

    def word() -> str:
        return "".join(rng.choices("abcd", k=rng.randint(3, 6)))

    titles = [" ".join(word() for _ in range(3)) for _ in range(40)]
    shop = reader(titles)
    count: dict[str, int] = {}
    for title in titles:
        for each in set(title.split()):
            count[each] = count.get(each, 0) + 1

    def cost(typed: str, near: str) -> float:
        return 0.5 * (typed[0] != near[0]) - 0.25 * math.log10(1 + count[near])

    typed = sorted({word() for _ in range(400)} - set(count))
    for text, found in zip(typed, texts_of(shop, *typed), strict=True):
        near = [w for w in count if OSA.distance(text, w) == 1]
        if not near:
            assert found == text
            continue
        least = min(cost(text, w) for w in near)
        assert OSA.distance(text, found) == 1
        assert cost(text, found) == pytest.approx(least, abs=1e-6)


def test_words_that_people_use_stay() -> None:
    """A sofa in a shop of soda: not corrected once several people search with it."""
    titles = ["Soda 1 l", "Couch"]
    assert texts_of(reader(titles), "sofa") == ["soda"]
    assert texts_of(reader(titles, used(sofa=5)), "sofa") == ["sofa"]


def test_a_mistake_that_many_people_make_is_one() -> None:
    shop = reader(["Cat litter"], used(liter=3, litter=14))
    assert texts_of(shop, "liter") == ["litter"]
    shop = reader(["Cat litter"], used(liter=3, litter=13))
    assert texts_of(shop, "liter") == ["liter"]


def test_a_graph_that_is_traced_takes_another_times_words() -> None:
    items = pa.table({"title": ["Soda 1 l"]})
    analyzer, config = Analyzer(), LexicalConfig()
    terms = build_inverted_index(items, config, analyzer).terms
    spelling = Spelling(CatalogueWords(items), terms, NO_CLICKS)
    read = tf.function(TermIds(terms, config, analyzer, spelling).read)
    assert read(tf.constant(["sofa"]))[2].numpy().tolist() == [b"soda"]
    spelling.swap(used(sofa=5, tumbler=2))
    assert read(tf.constant(["sofa"]))[2].numpy().tolist() == [b"sofa"]
    spelling.swap(NO_CLICKS)
    assert read(tf.constant(["sofa"]))[2].numpy().tolist() == [b"soda"]


def test_a_catalogue_without_words() -> None:
    assert texts_of(reader(["", "10", "杯"]), "mug", "杯") == ["mug", "杯"]
