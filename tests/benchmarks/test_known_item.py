from __future__ import annotations

import random

import numpy as np
import pytest

from benchmarks.known_item import KINDS, SYNONYMS, known_items, make_query, misspell
from core.metrics.edit_distance import edit_distances

TITLES = [
    "RED ENAMEL JUG WITH LID",
    "BLUE ENAMEL JUG",
    "JUG ENAMEL, BLUE",  # the same words as the one before
    "WOODEN TRAY LARGE",
    "SET OF SIX PAPER CUPS",
    "SIGN",  # too short to be asked for
    "RED MUG",
]


@pytest.fixture(scope="module")
def queries():
    return known_items(TITLES, per_kind=3)


def words_of(rows: tuple[int, ...]) -> set[str]:
    return set(TITLES[rows[0]].lower().replace(",", "").split())


def test_the_draw_depends_on_titles_and_seed_alone(queries):
    assert known_items(TITLES, per_kind=3) == queries
    assert known_items(TITLES, per_kind=3, seed=1) != queries
    assert [q.kind for q in queries] == [kind for kind in KINDS for _ in range(3)]


def test_titles_of_the_same_words_are_right_together(queries):
    asked = {query.rows for query in queries}
    assert asked <= {(0,), (1, 2), (3,), (4,)}
    assert (1, 2) in asked


@pytest.mark.parametrize("kind", ["dropped", "shuffled"])
def test_half_of_the_words_are_kept(queries, kind):
    for query in (q for q in queries if q.kind == kind):
        typed = query.query.split()
        title = words_of(query.rows)
        assert set(typed) <= title
        assert len(typed) == max(2, (len(title) + 1) // 2)


def test_misspelt_queries_hold_one_word_that_is_an_edit_away(queries):
    for query in (q for q in queries if q.kind == "misspelt"):
        (wrong,) = [w for w in query.query.split() if w not in words_of(query.rows)]
        distances = [
            int(edit_distances(wrong, np.array([[ord(c) for c in word]]))[0])
            for word in words_of(query.rows)
        ]
        assert min(distances) == 1


def test_synonyms_replace_words_of_titles_that_have_them(queries):
    for query in (q for q in queries if q.kind == "synonym"):
        replaced = words_of(query.rows) & set(SYNONYMS)
        assert replaced
        assert any(SYNONYMS[word] in query.query for word in replaced)
        assert not set(query.query.split()) & set(SYNONYMS) - set(SYNONYMS.values())


def test_long_titles_give_at_most_four_words():
    title = [f"w{number}" for number in range(30)]
    assert len(make_query(title, "dropped", random.Random(1)).split()) == 4


def test_a_word_is_never_misspelt_as_itself():
    draw = random.Random(0)
    typed = [misspell("aabb", draw) for _ in range(200)]
    assert "aabb" not in typed
    assert all(word[0] == "a" for word in typed)
