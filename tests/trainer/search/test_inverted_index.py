"""Impacts against sums done by hand, and the file against the index."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from core.config.lexical import LexicalConfig
from core.errors import ConfigError, InputDataError
from trainer.search.analyzer import Analyzer
from trainer.search.inverted_index import InvertedIndex, build_inverted_index

TITLES = ["red mug", "red red jug", "the plate", ""]


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer()


def only(**weights: float) -> LexicalConfig:
    """Weights of the named fields, none of the others."""
    names = ("title", "category", "brand", "description")
    return LexicalConfig(**{f"{name}_weight": weights.get(name, 0.0) for name in names})


def impacts(index: InvertedIndex) -> dict[tuple[str, int], float]:
    found = {}
    for term, start, end in zip(
        index.terms, index.splits[:-1], index.splits[1:], strict=True
    ):
        for row, impact in zip(
            index.rows[start:end], index.impacts[start:end], strict=True
        ):
            found[term.decode(), int(row)] = float(impact)
    return found


def test_one_field_is_plain_bm25(analyzer) -> None:
    index = build_inverted_index({"title": TITLES}, only(title=1.0), analyzer)
    # Lengths 2, 3, 1 over the three items with a title: average 2.
    # Norms k1 (1 - b + b l / 2): 1.2, 1.65, .75.
    # idf = ln(1 + (4 - df + .5) / (df + .5)), the item without a title counts too.
    once, twice = math.log(1 + 3.5 / 1.5), math.log(1 + 2.5 / 2.5)
    assert impacts(index) == pytest.approx(
        {
            ("jug", 1): once * 1 / (1.65 + 1),
            ("mug", 0): once * 1 / (1.2 + 1),
            ("plate", 2): once * 1 / (0.75 + 1),
            ("red", 0): twice * 1 / (1.2 + 1),
            ("red", 1): twice * 2 / (1.65 + 2),
        }
    )
    assert index.terms.tolist() == sorted(index.terms.tolist())
    np.testing.assert_allclose(index.idf, [once, once, once, twice], rtol=1e-6)


def test_fields_are_summed_before_they_saturate(analyzer) -> None:
    items = {"title": ["mug", "mug"], "brand": ["mug", None]}
    index = build_inverted_index(items, only(title=2.0, brand=0.5), analyzer)
    # All lengths are average, so f = 2 + .5 and 2; idf = ln(1 + .5 / 2.5).
    idf = math.log(1.2)
    assert impacts(index) == pytest.approx(
        {("mug", 0): idf * 2.5 / 3.7, ("mug", 1): idf * 2.0 / 3.2}
    )


def test_a_field_of_weight_zero_is_not_read(analyzer) -> None:
    items = {"title": ["mug"], "description": ["a handle"]}
    index = build_inverted_index(items, only(title=1.0), analyzer)
    assert index.terms.tolist() == [b"mug"]


def test_a_table_gives_what_its_columns_give(analyzer) -> None:
    items = {"item_id": ["a", "b"], "title": ["red mug", "jug"], "brand": [None, "Red"]}
    config = LexicalConfig()
    table = build_inverted_index(pa.table(items), config, analyzer)
    assert impacts(table) == impacts(build_inverted_index(items, config, analyzer))


def test_an_index_survives_its_file(analyzer, tmp_path) -> None:
    items = {"title": ["保温杯 red", "", "red jug"], "category": ["a > b", None, ""]}
    index = build_inverted_index(items, LexicalConfig(), analyzer)
    index.save(tmp_path / "index.npz")
    loaded = InvertedIndex.load(tmp_path / "index.npz")
    assert impacts(loaded) == impacts(index)
    assert loaded.num_items == 3
    np.testing.assert_array_equal(loaded.idf, index.idf)
    np.testing.assert_array_equal(loaded.held_in, index.held_in)
    np.testing.assert_array_equal(loaded.title.splits, index.title.splits)
    np.testing.assert_array_equal(loaded.title.terms, index.title.terms)


def test_a_catalogue_without_words_has_no_postings(analyzer) -> None:
    index = build_inverted_index({"title": ["", "the"]}, LexicalConfig(), analyzer)
    assert (index.num_items, len(index.terms), len(index.rows)) == (2, 0, 0)


@pytest.mark.parametrize("items", [{}, {"price": [1]}, {"title": ["a"], "brand": []}])
def test_what_cannot_be_read_is_refused(analyzer, items) -> None:
    with pytest.raises(InputDataError, match="title"):
        build_inverted_index(items, LexicalConfig(), analyzer)


@pytest.mark.parametrize(
    "values",
    [
        {"k1": -1.0},
        {"b": 1.5},
        {"title_weight": -0.1},
        {"max_query_terms": 0},
        {"max_query_characters": 100_000},
        {"form": "sparse"},
    ],
)
def test_settings_out_of_range_are_refused(values) -> None:
    with pytest.raises(ConfigError, match=next(iter(values))):
        LexicalConfig(**values)


def test_some_field_must_be_read() -> None:
    with pytest.raises(ConfigError, match="title_weight"):
        only()
