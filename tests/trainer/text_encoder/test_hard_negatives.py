"""Mined rows against BM25 worked out from its formula, and what is no negative."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from core.config.lexical import LexicalConfig
from trainer.text_encoder.hard_negatives import Bm25Miner

TITLES = ["red enamel mug", "red tin jug", "blue mug", "oil lamp", "red red chair"]


@pytest.fixture(scope="module")
def miner() -> Bm25Miner:
    items = pa.table({"item_id": list("abcde"), "title": TITLES})
    return Bm25Miner(items, LexicalConfig(k1=1.2, b=0.75))


def bm25(query: str) -> np.ndarray:
    """Lucene's form over the titles, idf log(1 + (n - df + .5) / (df + .5))."""
    texts = [title.split() for title in TITLES]
    mean = np.mean([len(words) for words in texts])
    scores = np.zeros(len(texts))
    for term in query.split():
        df = sum(term in words for words in texts)
        idf = math.log1p((len(texts) - df + 0.5) / (df + 0.5))
        for row, words in enumerate(texts):
            tf = words.count(term)
            norm = 1.2 * (0.25 + 0.75 * len(words) / mean)
            scores[row] += idf * tf / (tf + norm)
    return scores


@pytest.mark.parametrize("query", ["red mug", "blue lamp", "mug", "red", "red jug"])
def test_rows_come_in_the_order_of_bm25(miner: Bm25Miner, query: str) -> None:
    (rows,) = miner([query], 9)
    scores = bm25(query)
    assert (
        rows.tolist()
        == np.argsort(-scores, kind="stable")[: (scores > 0).sum()].tolist()
    )


def test_at_most_k_rows_and_none_without_a_known_word(miner: Bm25Miner) -> None:
    rows = miner(["red", "nothing here", "", "the", "RED Mugs!"], 2)
    assert [len(found) for found in rows] == [2, 0, 0, 0, 2]
    assert rows[4][0] == 0  # folded and singular, as the search reads it


def test_no_query_gives_no_rows(miner: Bm25Miner) -> None:
    assert miner([], 5) == []
