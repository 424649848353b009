"""Match features against sets and lists of words in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from core.config.lexical import LexicalConfig
from tests.trainer.search.catalogues import known_item_queries, simulated
from trainer.search.analyzer import Analyzer
from trainer.search.inverted_index import build_inverted_index
from trainer.search.lexical import LexicalIndex

ITEMS = {
    "title": ["Red Mug", "Red mug, blue handle", "保温杯 500毫升", "Mug", ""],
    "category": ["Kitchen > Mugs", "Kitchen > Mugs", "厨房 > 杯", None, None],
    "brand": ["Nordal", "Red", "Nordal", "", ""],
    "description": ["", "a mug with a saucer", None, "from Nordal", ""],
}


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer()


@pytest.fixture(scope="module")
def lexical(analyzer) -> LexicalIndex:
    config = LexicalConfig()
    return LexicalIndex(build_inverted_index(ITEMS, config, analyzer), config, analyzer)


def features(lexical: LexicalIndex, query: str) -> dict[str, list[float]]:
    """Each feature by name, for the five items and the pads."""
    rows = tf.range(6)[tf.newaxis]
    found = lexical.matches(lexical.terms(tf.constant([query])), rows).numpy()[0]
    return dict(zip(lexical.match_names, found.T.round(4).tolist(), strict=True))


def test_titles_that_are_or_begin_with_the_query(lexical) -> None:
    found = features(lexical, "the red MUGS")
    assert found["exact_title"] == [1, 0, 0, 0, 0, 0]
    assert found["title_prefix"] == [1, 1, 0, 0, 0, 0]
    found = features(lexical, "mug red")
    assert found["exact_title"] == found["title_prefix"] == [0] * 6
    found = features(lexical, "red mug qwxyz")
    assert found["exact_title"] == found["title_prefix"] == [0] * 6


def test_chinese_titles_begin_with_their_first_characters(lexical) -> None:
    assert features(lexical, "保温杯")["title_prefix"] == [0, 0, 1, 0, 0, 0]
    assert features(lexical, "保温杯")["exact_title"] == [0] * 6
    assert features(lexical, "保温杯500毫升")["exact_title"] == [0, 0, 1, 0, 0, 0]
    assert features(lexical, "保溫杯500毫升")["exact_title"] == [0, 0, 1, 0, 0, 0]
    assert features(lexical, "保杯")["title_prefix"] == [0] * 6


def test_coverage_by_field(lexical) -> None:
    found = features(lexical, "nordal saucer")
    # df 3 and 1 of five items.
    nordal, saucer = np.log1p(2.5 / 3.5), np.log1p(4.5 / 1.5)
    one, other = (x / (nordal + saucer) for x in (nordal, saucer))
    # A description says nothing of the kind.
    assert found["named_coverage"] == pytest.approx([one, 0, one, 0, 0, 0], abs=0.01)
    assert found["title_coverage"] == found["category_coverage"] == [0] * 6
    assert found["coverage"] == pytest.approx([one, other, one, one, 0, 0], abs=0.01)


@pytest.mark.parametrize(
    ("query", "rows", "num_words"),
    [
        ("red MUGS", [0, 1], 2),
        ("nordal mug", [0], 2),  # the brand's word and the title's
        ("mug saucer", [], 2),  # a saucer is mentioned, no more
        ("mug qwxyz", [], 2),
        ("mug", [0, 1, 3], 1),
        ("保温杯", [2], 3),
        ("nordal保温杯", [2], 4),
        ("500毫升保温杯", [2], 6),  # 升 and 保 touch in no title
        ("红保温杯", [], 4),
        ("", [], 0),
        ("the", [], 0),
    ],
)
def test_items_with_all_words(
    lexical, query: str, rows: list[int], num_words: int
) -> None:
    terms = lexical.terms(tf.constant([query]))
    found = lexical.named(terms, tf.range(6)[tf.newaxis]).numpy()[0]
    assert np.flatnonzero(found).tolist() == rows
    assert lexical.num_words(terms).numpy().tolist() == [[num_words]]


def test_a_word_in_two_fields_covers_once(lexical) -> None:
    found = features(lexical, "mug")
    assert found["title_coverage"] == [1, 1, 0, 1, 0, 0]
    assert found["category_coverage"] == [1, 1, 0, 0, 0, 0]
    assert found["coverage"] == [1, 1, 0, 1, 0, 0]


def test_scores_and_numbers_of_terms(lexical) -> None:
    terms = lexical.terms(tf.constant(["red qwxyz mug"]))
    scores = lexical.scores(terms).numpy()[0]
    found = features(lexical, "red qwxyz mug")
    np.testing.assert_allclose(found["bm25"], scores, atol=1e-4)
    np.testing.assert_allclose(found["log1p_bm25"], np.log1p(scores), atol=1e-4)
    np.testing.assert_allclose(found["share_of_best"], scores / scores.max(), atol=1e-4)
    np.testing.assert_allclose(found["log1p_query_terms"], np.log(4), atol=1e-4)
    np.testing.assert_allclose(found["unknown_share"], 1 / 3, atol=1e-4)


def test_many_queries_agree_with_sets_of_words(analyzer) -> None:
    items, typed = simulated("tiny")
    config = LexicalConfig()
    index = build_inverted_index(items, config, analyzer)
    lexical = LexicalIndex(index, config, analyzer)
    queries = typed[:40] + known_item_queries(items["title"], 30) + ["", "the"]
    n = len(items["title"])
    rows = np.random.default_rng(2).integers(0, n, (len(queries), 8))
    terms = lexical.terms(tf.constant(queries))
    found = lexical.matches(terms, tf.constant(rows, tf.int32)).numpy()
    words = {name: analyzer(column).to_list() for name, column in items.items()}
    idf = dict(zip(index.terms.tolist(), index.idf.tolist(), strict=True))
    place = {name: i for i, name in enumerate(lexical.match_names)}
    for number, query in enumerate(analyzer(queries).to_list()):
        weights = [idf.get(word, np.log1p((n + 0.5) / 0.5)) for word in query]
        for column, row in enumerate(rows[number].tolist()):
            got = found[number, column]
            everywhere: set[bytes] = set().union(*(w[row] for w in words.values()))
            held = {name: set(w[row]) for name, w in words.items()}
            for name, where in (("coverage", everywhere), *_covered(held)):
                of = dict(zip(query, weights, strict=True))
                if name == "named_coverage":
                    of = {t: w for t, w in of.items() if not is_pair(t)}
                share = sum(of[t] for t in query if t in of and t in where)
                expected = share / sum(of[t] for t in query if t in of) if of else 0.0
                assert got[place[name]] == pytest.approx(
                    expected, abs=0.01
                )  # idf in steps
            if query and set(query) <= everywhere:
                assert got[place["coverage"]] == 1
            title = words["title"][row]
            assert got[place["exact_title"]] == (bool(query) and query == title)


def _covered(held: dict[str, set[bytes]]) -> list[tuple[str, set[bytes]]]:
    named = held["title"] | held["category"] | held["brand"]
    return [
        ("title_coverage", held["title"]),
        ("category_coverage", held["category"]),
        ("named_coverage", named),
    ]


def is_pair(term: bytes) -> bool:
    text = term.decode()
    return len(text) == 2 and all(ord(letter) >= 0x3040 for letter in text)


def test_a_catalogue_without_words_matches_nothing(analyzer) -> None:
    config = LexicalConfig()
    index = build_inverted_index({"title": ["", "the"]}, config, analyzer)
    lexical = LexicalIndex(index, config, analyzer)
    terms = lexical.terms(tf.constant(["mug"]))
    found = lexical.matches(terms, tf.constant([[0, 1, 2]])).numpy()
    names = lexical.match_names
    assert not found[..., : names.index("log1p_query_terms")].any()
    assert (found[..., names.index("unknown_share")] == 1).all()
