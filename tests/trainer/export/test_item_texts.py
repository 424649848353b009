"""The graph's item texts against the Python that embedded the catalogue."""

from __future__ import annotations

import pytest
import tensorflow as tf

from trainer.export.item_texts import item_texts
from trainer.text_encoder.item_text import item_text

ITEMS = [
    ("Nordal Jug", "Nordal", "Home > Jugs"),  # the title names the brand
    ("NORDAL jug", "nordal", "Home"),
    ("A very nordal", "Nordal", ""),  # at the end
    ("Nordali", "Nordal jug", "Home > Jugs > Small"),  # longer than what is left
    ("Jug", "Nordal", "Home > Jugs"),
    ("", "Nordal", "Jugs"),
    ("Krug für Öl", "FÜR", "Küche > Krüge"),
    ("  Jug ", " ", " > Jugs"),
    ("", "", ""),
    ("茶碗 白", "茶", ""),
]


@pytest.mark.parametrize("rows", [slice(None), slice(0, 1), slice(8, 9)])
def test_texts_are_those_of_the_text_encoder_step(rows: slice) -> None:
    columns = list(zip(*ITEMS[rows], strict=True))
    names = ("title", "brand", "category")
    found = item_texts(
        {name: tf.constant(values) for name, values in zip(names, columns, strict=True)}
    )
    expected = [item_text(dict(zip(names, row, strict=True))) for row in ITEMS[rows]]
    assert [text.decode() for text in found.numpy()] == expected


def test_no_items_have_no_texts() -> None:
    none = tf.zeros([0], tf.string)
    assert item_texts({"title": none, "brand": none, "category": none}).shape == (0,)
