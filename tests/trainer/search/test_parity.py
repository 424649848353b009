"""The graph's analyzer and the plain one give the same terms."""

from __future__ import annotations

import random
import unicodedata
from pathlib import Path

import pandas as pd
import pytest
import tensorflow as tf

from core.text import tokens
from core.text.folding import TABLE_SIZE
from core.text.simplified import simplified_forms
from shops.simulated import simulate
from trainer.search.analyzer import Analyzer

# Each TensorFlow and each Python has the Unicode of its day. The graph's is newer than
# Python 3.10's and older than Python 3.13's, which alone knows these (Unicode 15.1).
UNKNOWN_TO_THE_GRAPH = range(0x2EBF0, 0x2EE5E)
ASSIGNED = [
    chr(point)
    for point in range(TABLE_SIZE)
    if unicodedata.category(chr(point)) not in ("Cn", "Cs", "Co")
    and point not in UNKNOWN_TO_THE_GRAPH
]


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer()


def assert_same_terms(analyzer: Analyzer, texts: list[str]) -> None:
    found = analyzer(tf.constant(texts)).to_list()
    for text, expected in zip(texts, found, strict=True):
        assert tokens.terms(text) == [t.decode() for t in expected], ascii(text)


@pytest.mark.slow
def test_every_code_point_between_letters_and_digits(analyzer: Analyzer) -> None:
    # Of the two great blocks, Chinese and Korean, one in fifty.
    few = [
        c for i, c in enumerate(ASSIGNED) if not _is_in_great_block(c) or i % 50 == 0
    ]
    assert_same_terms(analyzer, [f"a{c}b1{c}2茶{c}杯s" for c in few])


def test_every_traditional_character(analyzer: Analyzer) -> None:
    forms = simplified_forms()
    assert_same_terms(analyzer, [f"茶{chr(point)}杯" for point in forms])
    assert [t.decode() for t in analyzer(tf.constant(["手機"])).to_list()[0]] == [
        *("手", "机", "手机")
    ]


def _is_in_great_block(character: str) -> bool:
    name = unicodedata.name(character, "")
    return name.startswith(("CJK UNIFIED", "HANGUL SYLLABLE", "CJK COMPATIBILITY"))


def test_random_texts(analyzer: Analyzer) -> None:
    rng = random.Random(5)
    parts = [*"abs's’'_.,12 -茶杯コーヒーéß", "the", "xes", "ies", "\ue001", "\u0301"]
    texts = ["".join(rng.choices(parts, k=rng.randint(0, 14))) for _ in range(8_000)]
    wild = ["".join(rng.choices(ASSIGNED, k=12)) for _ in range(4_000)]
    assert_same_terms(analyzer, texts + wild)


def test_titles_and_queries_of_a_simulated_shop(analyzer: Analyzer) -> None:
    shop = simulate("tiny")
    queries = shop.tables.events.column("query").drop_null().unique().to_pylist()
    titles = shop.tables.items.column("title").to_pylist()
    assert len(queries) > 100
    assert_same_terms(analyzer, queries + titles)


def test_titles_of_online_retail(analyzer: Analyzer, shared_data: Path) -> None:
    path = shared_data / "online_retail" / "online_retail.parquet"
    titles = pd.read_parquet(path, columns=["Description"])["Description"]
    assert_same_terms(analyzer, titles.dropna().unique().tolist())
