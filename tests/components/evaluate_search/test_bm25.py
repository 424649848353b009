from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from components.evaluate_search.bm25 import Bm25, item_texts

TEXTS = ["red mug red", "blue mug", "green tea with jasmine", ""]


def test_scores_are_the_formula_by_hand():
    # n = 4, mean length 9 / 4; `red` is in 1 document, twice; `mug` in 2, once each
    found = Bm25(TEXTS, k1=1.2, b=0.75).scores(["red mug", "mugs mug", "sofa", ""])

    def part(count: int, held: int, length: int) -> float:
        norm = 1.2 * (0.25 + 0.75 * length / 2.25)
        return math.log(1 + (4 - held + 0.5) / (held + 0.5)) * count / (count + norm)

    np.testing.assert_allclose(
        found[0], [part(2, 1, 3) + part(1, 2, 3), part(1, 2, 2), 0, 0]
    )
    np.testing.assert_allclose(found[1], [2 * part(1, 2, 3), 2 * part(1, 2, 2), 0, 0])
    assert not found[2:].any()


def test_pages_hold_what_matches_and_nothing_else():
    pages = Bm25(TEXTS, k1=1.2, b=0.75).pages(
        ["red mug", "jasmine", "sofa"], 3, batch_size=2
    )

    assert pages.tolist() == [[0, 1, -1], [2, -1, -1], [-1, -1, -1]]


def test_texts_join_the_columns_that_there_are():
    items = pa.table({"title": ["a", "b"], "brand": ["c", None], "price": [1.0, 2.0]})

    assert item_texts(items) == ["a c", "b "]
    assert item_texts(items, ("title",)) == ["a", "b"]


def test_empty_catalogue_text_is_no_error():
    assert Bm25([""], k1=1.2, b=0.75).pages(["x"], 2).tolist() == [[-1, -1]]


def test_agrees_with_bm25s():
    bm25s = pytest.importorskip("bm25s")
    generator = np.random.default_rng(0)
    texts = [
        " ".join(f"w{n}" for n in generator.zipf(1.5, generator.integers(1, 20)) % 50)
        for _ in range(200)
    ]
    theirs = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    theirs.index([text.split() for text in texts], show_progress=False)
    for query in ("w1 w3", "w7", "w2 w2 w11"):
        (found,) = Bm25(texts, k1=1.2, b=0.75).scores([query])
        np.testing.assert_allclose(found, theirs.get_scores(query.split()), atol=1e-4)
