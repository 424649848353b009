from __future__ import annotations

import numpy as np
import pytest

from core.metrics.query_classes import (
    QUERY_CLASSES,
    QueryClassifier,
    head_queries,
    terms,
)
from shops.simulated import simulate

TITLES = [
    "Red enamel jug 1 l",
    "Blue enamel jug 2 l",
    "Glass vases",
    "Sofa, three seats",
    "白色 保温杯",
    "黑色 水杯",
    *[f"Wooden tray {number}" for number in range(200)],
]


@pytest.fixture(scope="module")
def classifier() -> QueryClassifier:
    counts = {"tray": 6, "jug": 3, "vase": 2, "sofa": 1}
    return QueryClassifier(TITLES, texts=["Nordal tableware"], counts=counts)


@pytest.mark.parametrize(
    ("query", "relevant", "expected"),
    [
        ("tray", [6, 7], {"head", "generic"}),
        ("Trays", [6], {"tail", "generic"}),
        ("wooden tray", [6, 7], {"tail", "generic"}),  # 200 of 206 titles hold both
        ("enamel jug", [0, 1], {"tail", "specific"}),  # 2 of 206
        ("red enamel jug", [0], {"tail", "specific"}),
        ("enmael jug", [0, 1], {"tail", "specific", "misspelt"}),
        ("woodentray", [6], {"tail", "generic", "misspelt"}),
        ("couch", [3], {"tail", "generic", "synonym"}),
        ("tableware", [2], {"tail", "generic", "synonym"}),  # known, in no title
        ("tableware", [], {"tail", "generic"}),
        ("jug 5 l", [0, 1], {"tail", "specific"}),  # sizes are not synonyms
        ("xr2500q", [0], {"tail", "generic"}),
        ("保温杯", [4], {"tail", "generic", "chinese"}),
        ("保温杯", [0, 1, 4], {"tail", "generic", "chinese"}),  # of Chinese titles
        ("水杯", [4], {"tail", "generic", "chinese", "synonym"}),
        ("白色 保温杯 大", [4], {"tail", "specific", "chinese", "synonym"}),
        ("", [], {"tail", "generic"}),
    ],
)
def test_classes_of_a_small_catalogue(
    classifier: QueryClassifier, query: str, relevant: list[int], expected: set[str]
) -> None:
    assert classifier.classes(query, relevant) == expected
    assert expected <= set(QUERY_CLASSES)


def test_without_a_log_there_is_neither_head_nor_tail() -> None:
    assert QueryClassifier(TITLES).classes("tray", [6]) == {"generic"}


def test_head_is_the_fewest_queries_with_half_of_the_searches() -> None:
    assert head_queries({"a": 4, "b": 3, "c": 2, "d": 1}) == {"a", "b"}
    assert head_queries({"a": 5, "b": 3, "c": 2}) == {"a"}
    assert head_queries({}) == frozenset()


def test_terms_are_words_without_plural_and_single_characters() -> None:
    assert terms("Cherries, shoes & GLASSES 10cm 茶壶x") == [
        "cherry",
        "shoe",
        "glasse",
        "10cm",
        "茶",
        "壶",
        "x",
    ]


def test_vowel_signs_belong_to_their_word() -> None:
    # Hindi oil and lock, Thai knife: without the signs तेल and ताला are alike.
    assert terms("तेल ताला มีด") == ["तेल", "ताला", "มีด"]


def test_rules_find_what_the_simulated_shop_knows() -> None:
    shop = simulate("demo")
    assert shop.world is not None
    items = shop.tables.items.to_pandas()
    typed = shop.tables.events.to_pandas()["query"].dropna()
    queries = sorted(typed.unique())[::9]
    rules = QueryClassifier(
        items["title"].tolist(), texts=[*items["brand"], *items["category"]]
    )
    ids = items["item_id"].tolist()
    right = dict.fromkeys(("generic", "misspelt", "synonym", "chinese"), 0)
    for query in queries:
        grades = shop.world.relevance(query, ids)
        found = rules.classes(query, np.flatnonzero(grades == grades.max()))
        known = shop.world.query_class(query)
        for name in right:
            right[name] += (name in found) == (name in known)

    share = {name: count / len(queries) for name, count in right.items()}
    assert len(queries) > 190
    assert share["chinese"] == 1.0
    assert share["misspelt"] > 0.98
    assert share["synonym"] > 0.95
    assert share["generic"] > 0.9  # synonyms of two words are rare in titles
