"""The analyzer against a reading of its rules in plain Python."""

from __future__ import annotations

import random
import re
import unicodedata

import pytest
import tensorflow as tf

from core.text.tokens import MAX_QUERY_CHARACTERS, STOP_WORDS
from trainer.search.analyzer import Analyzer

IDEOGRAPH = re.compile(
    r"[\u3005\u3007\u3021-\u3029\u3038-\u303b\u4e00-\u9fff\u3400-\u4dbf]"
)


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer()


def terms(analyzer: Analyzer, *texts: str) -> list[list[str]]:
    found = analyzer(tf.constant(list(texts)), MAX_QUERY_CHARACTERS)
    return [[term.decode() for term in each] for each in found.to_list()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10cm Mug", ["10", "cm", "mug"]),
        ("10 cm MUGS", ["10", "cm", "mug"]),
        ("1.5L bottle", ["1.5", "l", "bottle"]),
        ("dresses, boxes & berries", ["dress", "box", "berry"]),
        ("glass bus this", ["glass", "bus"]),
        ("CAFÉ crème", ["cafe", "creme"]),
        ("ｆｕｌｌ ㎝", ["full", "cm"]),
        ("men's", ["men"]),
        ("保温杯", ["保", "温", "杯", "保温", "温杯"]),
        ("茶 cup 杯", ["茶", "cup", "杯"]),
        ("500毫升", ["500", "毫", "升", "毫升"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("🎉 \x00\x01 !!!", []),
        ("the of and", []),
        ("", []),
        ("\ue000\ue001mug", ["mug"]),
    ],
)
def test_terms_of_a_text(analyzer, text, expected) -> None:
    assert terms(analyzer, text) == [expected]


def test_a_text_is_the_same_alone_and_in_a_batch(analyzer) -> None:
    texts = ["red mug", "", "茶杯", "10cm"]
    assert terms(analyzer, *texts) == [terms(analyzer, text)[0] for text in texts]


def test_long_texts_are_cut(analyzer) -> None:
    (found,) = terms(analyzer, "mug " * 10_000)
    assert len(found) == MAX_QUERY_CHARACTERS // 4


def reference(text: str) -> list[str]:
    """The rules for Latin words, digits and Chinese characters, one word at a time."""
    text = "".join(
        c
        for c in unicodedata.normalize("NFKD", text).casefold()
        if not unicodedata.combining(c)
    )
    singles, pairs, previous = [], [], ""
    for token in re.findall(rf"[a-z]+|\d+|{IDEOGRAPH.pattern}|[^\w]+", text):
        if IDEOGRAPH.match(token):
            singles.append(token)
            if previous:
                pairs.append(previous + token)
            previous = token
            continue
        previous = ""
        if token.isdigit():
            singles.append(token)
        elif token.isalpha() and token not in STOP_WORDS:
            singles.append(_singular(token))
    return singles + pairs


def _singular(word: str) -> str:
    if re.match(r"^[a-z]{2,}(ss|x|ch|sh|zz)es$", word):
        return word[:-2]
    if re.match(r"^[a-z]{2,}ies$", word):
        return word[:-3] + "y"
    if re.match(r"^[a-z]{2,}[^us]s$", word):
        return word[:-1]
    return word


def test_ten_thousand_random_texts_agree_with_the_reference(analyzer) -> None:
    rng = random.Random(3)
    words = ["mugs", "Dress", "boxes", "café", "berries", "glass", "the", "Ａ", "é"]
    parts = [*words, *"茶杯保温瓶", "10", "500", " ", " ", "-", ", ", "!"]
    texts = ["".join(rng.choices(parts, k=rng.randint(0, 12))) for _ in range(10_000)]
    found = analyzer(tf.constant(texts)).to_list()
    for text, each in zip(texts, found, strict=True):
        assert [t.decode() for t in each] == reference(text), text
