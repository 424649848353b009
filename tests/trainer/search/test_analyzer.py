"""The analyzer against a reading of its rules in plain Python."""

from __future__ import annotations

import random
import re
import unicodedata
from itertools import pairwise

import pytest
import tensorflow as tf

from core.text.tokens import MAX_QUERY_CHARACTERS, STOP_WORDS
from shops import online_retail
from tests.trainer.search.catalogues import simulated
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
    text = re.sub(r"(?<=[a-z])['’](?=[a-z])", "", text)
    parts = rf"[a-z]+|\d+(?:[.,]\d+)?|{IDEOGRAPH.pattern}|[^\w]+"
    for token in re.findall(parts, text):
        if IDEOGRAPH.match(token):
            singles.append(token)
            if previous:
                pairs.append(previous + token)
            previous = token
            continue
        previous = ""
        if token[0].isdigit():
            singles.append(token.replace(",", "."))
        elif token.isalpha() and token not in STOP_WORDS:
            singles.append(_singular(token))
    return singles + pairs


def _singular(word: str) -> str:
    if re.match(r"^[a-z]{2,}(ss|x|ch|sh|zz)es$", word):
        return word[:-2]
    if re.match(r"^[a-z]{2,}ies?$", word):
        return word.removesuffix("s")[:-2] + "y"
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


def test_titles_and_queries_agree_with_the_reference(analyzer) -> None:
    items, queries = simulated("tiny")
    texts = [*items["title"], *items["description"], *queries]
    assert len(texts) > 1_000
    for text, each in zip(texts, analyzer(texts).to_list(), strict=True):
        assert [t.decode() for t in each] == reference(text), text


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("hoodie", "hoodies"),
        ("Beanie", "beanies"),
        ("cookie", "cookies"),
        ("berry", "berries"),
        ("tie", "ties"),
        ("dress", "dresses"),
    ],
)
def test_singular_and_plural_are_one_term(analyzer, one: str, many: str) -> None:
    first, second = analyzer(tf.constant([one, many])).to_list()
    assert first == second and len(first) == 1


def test_japanese_long_vowels_are_part_of_their_words(analyzer) -> None:
    coffee, cord, sweater = (
        [t.decode() for t in each]
        for each in analyzer(
            tf.constant(["コーヒー", "ヒーター コード", "ｾｰﾀｰ"])
        ).to_list()
    )
    assert coffee == [*"コーヒー", "コー", "ーヒ", "ヒー"]
    assert "コー" in cord and "ーヒ" not in cord
    assert sweater == [*"セーター", "セー", "ータ", "ター"]


@pytest.mark.slow
def test_real_titles_agree_with_the_reference(analyzer, shared_data) -> None:
    items = online_retail.load(shared_data / "online_retail").tables.items
    # Words are ASCII there but for a pound sign; underscores are not in the reference.
    titles = [title for title in items["title"].to_pylist() if "_" not in title]
    assert len(titles) > 3_000
    for title, each in zip(titles, analyzer(titles).to_list(), strict=True):
        assert [t.decode() for t in each] == reference(title), title


def ten_thousand_texts() -> list[str]:
    """Titles and queries of the simulated shop, random Unicode, and both mixed."""
    items, queries = simulated("tiny")
    known = [*items["title"], *queries]
    rng = random.Random(4)
    texts = list(known)
    while len(texts) < 10_000:
        points = [rng.choice((0x80, 0x600, 0x3100, 0xA000, 0x110000)) for _ in range(9)]
        odd = [chr(rng.randrange(limit)) for limit in points]
        odd = [c for c in odd if not 0xD800 <= ord(c) < 0xE000]
        texts.append("".join(rng.sample([*odd, rng.choice(known)], len(odd))))
    return texts


@pytest.mark.slow
def test_build_and_served_graph_agree_on_ten_thousand_texts(analyzer, tmp_path) -> None:
    module = tf.Module()
    module.analyzer = analyzer

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def served(texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        found = analyzer(texts, MAX_QUERY_CHARACTERS)
        return found.flat_values, found.row_splits

    module.served = served
    tf.saved_model.save(module, str(tmp_path / "analyzer"))
    graph = tf.saved_model.load(str(tmp_path / "analyzer")).served
    texts = ten_thousand_texts()
    built = analyzer(texts).to_list()
    # One by one and by sevens: plain texts go both the short and the long way.
    for size, some in ((1, texts[:1500]), (7, texts)):
        answers: list[list[bytes]] = []
        for start in range(0, len(some), size):
            values, splits = graph(tf.constant(some[start : start + size]))
            flat, bounds = values.numpy().tolist(), splits.numpy().tolist()
            answers.extend(flat[begin:end] for begin, end in pairwise(bounds))
        assert answers == built[: len(some)]
