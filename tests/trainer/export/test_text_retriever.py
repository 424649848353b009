"""Item texts in the graph: the same as those that the catalogue was embedded from."""

from __future__ import annotations

import tensorflow as tf

from trainer.export.item_texts import item_texts
from trainer.export.text_retriever import TextRetriever
from trainer.text_encoder import item_text

ITEMS = [
    {"title": "Jug", "brand": "Acme", "category": "Home > Jugs", "description": "Tea."},
    {"title": "NORDAL mug", "brand": "nordal", "category": "Home", "description": ""},
    {"title": "Becher (grün)", "brand": "GRÜN)", "category": "", "description": " x "},
    {"title": "a.c", "brand": "abc", "category": "A > B > C", "description": ""},
    {"title": "line\nbreak Acme", "brand": "acme", "category": "", "description": ""},
    {"title": "杯 Kaito", "brand": "kaito", "category": "家 > 杯", "description": "保"},
    {"title": r"a\b mug", "brand": r"A\B", "category": "", "description": "x"},
    {"title": "GROSSE Lampe", "brand": "Große", "category": "", "description": ""},
    {"title": "Straße", "brand": "STRASSE", "category": "", "description": ""},
    {"title": "Jug\u3000", "brand": "\u00a0", "category": "", "description": ""},
    {"title": "", "brand": "", "category": "", "description": ""},
]


def _columns() -> dict[str, tf.Tensor]:
    return {n: tf.constant([item[n] for item in ITEMS]) for n in item_text.COLUMNS}


def test_texts_in_the_graph_are_those_of_the_catalogue() -> None:
    found = tf.function(item_texts)(_columns()).numpy()
    assert [text.decode() for text in found] == [
        item_text.item_text(item) for item in ITEMS
    ]


def test_a_brand_is_no_pattern() -> None:
    one = {n: tf.constant([""]) for n in item_text.COLUMNS}
    asked = {**one, "title": tf.constant(["mug"]), "brand": tf.constant([r"\E(("])}
    assert item_texts(asked).numpy()[0] == rb"mug. \E(("


class _Lengths:
    """An encoder of one number: how long the text is."""

    def embed_items(self, texts: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.strings.length(texts), tf.float32)[:, None]

    def embed_queries(self, texts: tf.Tensor) -> tf.Tensor:
        return -self.embed_items(texts)


def test_items_and_queries_are_embedded_each_in_their_own_way() -> None:
    retriever = TextRetriever(_Lengths())
    first = {name: values[:1] for name, values in _columns().items()}
    assert retriever.embed_item(first).numpy() == [[len("Jug. Acme. Home, Jugs. Tea.")]]
    assert retriever.embed_texts(tf.constant(["tea"])).numpy() == [[-3.0]]
