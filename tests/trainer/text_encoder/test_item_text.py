"""What stands for an item, and in which order."""

from __future__ import annotations

import pyarrow as pa

from trainer.text_encoder.item_text import item_texts


def test_title_brand_category_description_in_this_order() -> None:
    items = pa.table(
        {
            "item_id": ["a", "b", "c"],
            "description": ["Keeps tea warm.", None, None],
            "category": ["Home > Jugs", "Home", None],
            "brand": ["Acme", "nordal", None],
            "title": ["Jug", "Nordal mug", None],
        }
    )
    assert item_texts(items) == [
        "Jug. Acme. Home, Jugs. Keeps tea warm.",
        "Nordal mug. Home",  # the title names the brand
        "",
    ]


def test_a_title_is_enough() -> None:
    assert item_texts(pa.table({"item_id": ["a"], "title": ["Jug"]})) == ["Jug"]
