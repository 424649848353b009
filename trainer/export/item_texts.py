"""The text of items inside the graph, as `trainer.text_encoder.item_text` writes it."""

from __future__ import annotations

import tensorflow as tf

from core import features


def item_texts(item: dict[str, tf.Tensor]) -> tf.Tensor:
    """[M] string: title, brand and category levels, what is empty left out.

    Equal to `item_text` of an item without description. A brand that the title names
    already is not repeated.

    Args:
      item: title, brand, category, [M] string each.
    """
    title = tf.strings.strip(item[features.TITLE])
    brand = tf.strings.strip(item[features.BRAND])
    brand = tf.where(_contained(brand, title), "", brand)
    category = tf.strings.strip(item[features.CATEGORY])
    levels = tf.strings.split(category, sep=features.CATEGORY_SEPARATOR)
    category = _joined(levels, ", ")
    parts = tf.stack([title, brand, category], axis=1)
    return _joined(tf.RaggedTensor.from_tensor(parts), ". ")


def _joined(parts: tf.RaggedTensor, separator: str) -> tf.Tensor:
    """[M] string of the parts that are not empty."""
    kept = tf.ragged.boolean_mask(parts, tf.not_equal(parts, ""))
    return tf.strings.reduce_join(kept, axis=-1, separator=separator)


def _contained(needles: tf.Tensor, texts: tf.Tensor) -> tf.Tensor:
    """[M] bool: does each text hold its needle, whatever the case?

    No string op takes one pattern per row, so code points are compared at every offset.
    """
    needle, text = _code_points(needles), _code_points(texts)
    length = tf.shape(needle)[1]
    text = tf.pad(text, [[0, 0], [0, length]], constant_values=-1)
    offsets = tf.range(tf.shape(text)[1] - length + 1)
    windows = tf.gather(text, offsets[:, None] + tf.range(length)[None, :], axis=1)
    equal = tf.equal(windows, needle[:, None, :]) | (needle[:, None, :] < 0)
    return tf.reduce_any(tf.reduce_all(equal, axis=2), axis=1)


def _code_points(texts: tf.Tensor) -> tf.Tensor:
    """[M, L] int32 lower-case code points; -1 pads."""
    lower = tf.strings.lower(texts, encoding="utf-8")
    return tf.strings.unicode_decode(lower, "UTF-8").to_tensor(default_value=-1)
