from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from core.text.tokens import tokenize
from core.text.units import completion_key, prefix_key, units, words_and_terms


def test_words_and_runs_of_ideographs() -> None:
    found = units("Red 不锈钢 保温杯 10cm's")

    assert [u.surface for u in found] == ["red", "不锈钢", "保温杯", "10", "cms"]
    assert [u.is_ideographs for u in found] == [False, True, True, False, False]
    assert [(u.start, u.end) for u in found[1:3]] == [(4, 7), (8, 11)]


def test_keys_forget_punctuation_and_spaces_between_ideographs() -> None:
    assert completion_key("  T-LIGHT   Café ") == "t light cafe"
    assert completion_key("不锈钢 保温杯 500ml") == "不锈钢保温杯 500 ml"
    assert completion_key("不鏽鋼 保溫杯") == "不锈钢保温杯"
    assert prefix_key("T-") == "t"
    assert prefix_key("t ") == "t "
    assert prefix_key("杯 ") == "杯"
    assert prefix_key(" \t") == ""


@given(text=st.text(alphabet="ab's1.,_- sTZ\n\x00~", max_size=16))
def test_ascii_keys_are_the_tokens_joined(text: str) -> None:
    expected = " ".join(token.surface for token in tokenize(text))

    assert completion_key(text) == expected


@given(text=st.text(alphabet="ab's1.,_- sTZ\n\x00~é杯", max_size=16))
def test_words_and_terms_are_those_of_the_units(text: str) -> None:
    expected = [(unit.surface, unit.term) for unit in units(text)]

    assert words_and_terms(text) == expected


@given(text=st.text(alphabet="aés' -.,12_茶杯ㅋ", max_size=14), end=st.integers(0, 14))
@example(text="11_1", end=3)
@example(text="11_a", end=3)
def test_every_beginning_of_a_text_is_a_prefix_of_its_key(text: str, end: int) -> None:
    begun = text[:end].rstrip()  # a space at the end demands one more word

    assert completion_key(text).startswith(prefix_key(begun))
