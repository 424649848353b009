"""Corrections in the gift shop of worlds.py."""

from __future__ import annotations

import time

import pytest

from core.config.suggest import SuggestConfig
from serving.suggest import Suggester, TermCorrection
from tests.serving.suggest.worlds import gift_shop


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("frnech enamel jug", "french enamel jug"),  # two letters swapped
        ("Frnech ENAMEL jugs!", "french ENAMEL jugs!"),  # the rest stays as typed
        ("frnch", "french"),  # one left out
        ("freench", "french"),  # one doubled
        ("grench jug", "french jug"),  # first letter wrong
        ("tlight", "t light"),  # a space forgotten, the pair is known
        ("lunch box", "lunchbox"),  # a space too many
        ("frenche namel jug", "french enamel jug"),  # a space in the wrong place
        ("gardenmug", "garden mug"),  # two words that never stood together
        ("frnech 保温杯", "french 保温杯"),
    ],
)
def test_what_is_corrected(shop: Suggester, query: str, expected: str) -> None:
    correction = shop.correct(query)

    assert correction.text == expected
    assert correction.changed


@pytest.mark.parametrize(
    "query",
    [
        "french enamel jug",
        "fresh jugs",  # rare words are words
        "t light",
        "gardeners",  # unknown in this number, known in the other
        "保温被",  # one character away from 保温杯: another thing
        "머그컵",  # no alphabet of single letters
        "10cm 12345",
        "the of and",
        "zzzzzzzz",  # nothing is near
        "mg",  # too short to be sure
        "🎉 \x00\x07 !!",
        "",
    ],
)
def test_what_is_left_alone(shop: Suggester, query: str) -> None:
    correction = shop.correct(query)

    assert (correction.text, correction.changed, correction.terms) == (query, False, ())


def test_the_changed_words_are_told(shop: Suggester) -> None:
    correction = shop.correct("Frnech T light, lnuch box")

    assert correction.text == "french T light, lnuch box"  # two edits and a space
    assert correction.terms == (TermCorrection("Frnech", "french"),)


def test_neighbours_decide_between_equals() -> None:
    # `jag` is one edit from `jug` (25 items) and, were it here, from `jar` (90).
    # Alone, the frequent one wins; behind `enamel`, the one that stands there.
    lexicon = gift_shop()
    word = lexicon.words[2]
    jar = type(word)("jar", "jar", 90, 0)
    terms = (*lexicon.terms, type(lexicon.terms[0])("jar", 90, 0))
    known = type(lexicon)(
        as_of=lexicon.as_of,
        terms=terms,
        words=(*lexicon.words, jar),
        pairs=lexicon.pairs,
    )
    shop = Suggester(known)

    assert shop.correct("jag").text == "jar"
    assert shop.correct("enamel jag").text == "enamel jug"


def test_long_words_alone_may_differ_by_two_letters(shop: Suggester) -> None:
    assert shop.correct("gadrenre").text == "gardener"  # 8 letters, two swaps
    assert shop.correct("fenhc").changed is False  # 5 letters, two edits


def test_only_so_many_words_are_looked_up() -> None:
    shop = Suggester(gift_shop(), SuggestConfig(max_corrected_words=1))

    assert shop.correct("frnech enmael").text == "french enmael"


@pytest.mark.parametrize(
    "text",
    [
        "frnech " * 1_500,
        "x" * 10_000,
        "🎉" * 10_000,
        "\x00\x1b[2J" * 2_000,
        "茶" * 10_000,
    ],
)
def test_any_input_takes_bounded_time(shop: Suggester, text: str) -> None:
    start = time.thread_time()  # of this thread alone: machines are shared
    correction = shop.correct(text)
    shop.suggest(text)

    assert time.thread_time() - start < 0.5
    assert correction.text.endswith(text[256:])  # what search does not read
