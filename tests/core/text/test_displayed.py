"""Text as the catalogue shows it, and paths of categories."""

from __future__ import annotations

import pytest

from core.text.displayed import category_levels, category_path, displayed


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("Kitchen>Mugs", "Kitchen > Mugs"),
        (" Kitchen  >   Mugs ", "Kitchen > Mugs"),
        ("Kitchen ＞ Mugs", "Kitchen > Mugs"),
        ("Ku\u0308che > To\u0308pfe", "Küche > Töpfe"),
        ("手机（新品）", "手机(新品)"),
        ("½ Price", "1⁄2 Price"),
        ("> Mugs >", "Mugs"),
        (" > ", ""),
        ("", ""),
    ],
)
def test_a_category_has_one_way_to_be_written(written: str, path: str) -> None:
    assert category_path(written) == path == category_path(path)
    assert category_levels(path) == [level for level in path.split(" > ") if level]


def test_what_cannot_be_seen_is_gone_and_case_is_kept() -> None:
    assert displayed("a\x00b\x07c\u200bd\ufeff  É") == "abc d É"
    # Marks of direction, as copying from a dialog leaves them.
    assert displayed("Acme\u200e") == displayed("\u202aAcme\u202c") == "Acme"
    assert displayed("\u200e") == displayed("\u200d \u200c") == ""
    # Joiners between letters are spelling; an emoji of two is one picture.
    assert displayed("می\u200cخواهم\u200c") == "می\u200cخواهم"
    assert displayed("👩\u200d🍳") == "👩\u200d🍳"
