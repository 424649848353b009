"""The plain tokenizer on hand-worked texts (parity: tests/trainer/search)."""

from __future__ import annotations

import pytest

from core.text.tokens import Token, singular, terms, tokenize


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10cm Mugs", ["10", "cm", "mug"]),
        ("1.5L, 3,5 l", ["1.5", "l", "3.5", "l"]),
        ("CAFÉ crème of the men's", ["cafe", "creme", "men"]),
        ("保温杯 茶", ["保", "温", "杯", "茶", "保温", "温杯"]),
        ("500毫升", ["500", "毫", "升", "毫升"]),
        ("手機殼", ["手", "机", "壳", "手机", "机壳"]),
        ("🎉 \x00\ud800 !!!", []),
        ("", []),
    ],
)
def test_terms_of_a_text(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_what_is_shown_keeps_its_script() -> None:
    assert [token.surface for token in tokenize("手機")] == ["手", "機"]


def test_tokens_tell_where_they_stood() -> None:
    #       0123456789
    text = "The ㎝ Ärzte's"
    the, cm, doctors = tokenize(text)

    assert the.term == ""
    assert (cm.surface, text[cm.start : cm.end]) == ("cm", "㎝")
    assert doctors == Token("arztes", "arzte", 6, 13, False, False)


def test_long_texts_are_cut() -> None:
    assert len(tokenize("mug " * 10_000, max_characters=256)) == 64


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("dresses", "dress"),
        ("berries", "berry"),
        ("mugs", "mug"),
        ("glass", "glass"),
        ("bus", "bus"),
        ("茶s", "茶s"),
    ],
)
def test_singulars(word: str, expected: str) -> None:
    assert singular(word) == expected


@pytest.mark.parametrize("text", ["500ml", "५००ml", "٥٠٠ml", "๕๐๐ml", "５００ml"])
def test_digits_of_every_script_are_the_same_numbers(text: str) -> None:
    assert terms(text) == ["500", "ml"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Wasch\u00admaschine", ["waschmaschine"]),  # a soft hyphen
        ("tea\u2060pot", ["teapot"]),  # a word joiner
        ("កែវ\u200bទឹក", ["កែវ", "ទឹក"]),  # what parts Khmer words
    ],
)
def test_invisible_marks_join_or_part(text: str, words: list[str]) -> None:
    assert terms(text) == words
