from __future__ import annotations

import pytest

from core.progress import counted


@pytest.mark.parametrize(
    ("number", "words", "text"),
    [
        (0, ("item",), "0 items"),
        (1, ("item",), "1 item"),
        (2, ("item",), "2 items"),
        (12_000, ("search page",), "12,000 search pages"),
        (1, ("search", "searches"), "1 search"),
        (3, ("search", "searches"), "3 searches"),
        (1, ("of them is right", "of them are right"), "1 of them is right"),
    ],
)
def test_number_and_noun_agree(number: int, words: tuple[str, ...], text: str) -> None:
    assert counted(number, *words) == text
