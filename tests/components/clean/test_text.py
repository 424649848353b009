"""Text normalization on strings that shops really write."""

from __future__ import annotations

import pyarrow as pa
import pytest

from components.clean import text


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("  RED   Mug\t\n", "RED Mug"),
        ("ﬁne ①", "fine 1"),  # ligature, circled digit
        ("ＡＢＣ　茶杯", "ABC 茶杯"),  # full width letters, ideographic space
        ("Cafe\u0301", "Café"),  # composed
        ("a\x00b\x07c\u200bd\ufeff", "abc d"),
        ("Wasch\u00admaschine", "Waschmaschine"),
        ("កែវ\u200bទឹក", "កែវ ទឹក"),
        ("a\u00a0b", "a b"),
        ("", ""),
    ],
)
def test_text_is_normalized_and_keeps_its_case(raw: str, normal: str) -> None:
    column = pa.chunked_array([[raw, normal]])
    assert text.normalize_column(column).to_pylist() == [normal or None] * 2


def test_columns_keep_order_and_blank_becomes_null() -> None:
    column = pa.chunked_array([["b  b", None], [" ", "a", "b  b"]])
    assert text.normalize_column(column).to_pylist() == ["b b", None, None, "a", "b b"]
    empty = pa.chunked_array([], type=pa.string())
    assert text.normalize_column(empty).to_pylist() == []
