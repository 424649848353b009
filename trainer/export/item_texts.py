"""The text of items inside the graph, as `trainer.text_encoder.item_text` writes it."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from core import features
from trainer.text_encoder.item_text import COLUMNS


def item_texts(item: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """[M] string: title, brand, category levels, description; what is empty left out.

    Equal to `item_text`, but for its cut. A brand that the title names already is not
    repeated.

    Args:
      item: title, brand, category and perhaps description, [M] string each.
    """
    values = {name: _stripped(item[name]) for name in COLUMNS if name in item}
    title, brand = values[features.TITLE], values[features.BRAND]
    values[features.BRAND] = tf.where(_contained(brand, title), "", brand)
    levels = tf.strings.split(
        values[features.CATEGORY], sep=features.CATEGORY_SEPARATOR
    )
    values[features.CATEGORY] = _joined(levels, ", ")
    parts = tf.stack(list(values.values()), axis=1)
    return _joined(tf.RaggedTensor.from_tensor(parts), ". ")


def _stripped(texts: tf.Tensor) -> tf.Tensor:
    """Without white space at the ends, Unicode's too, as Python's `strip`."""
    return tf.strings.regex_replace(texts, r"^[\s\p{Z}]+|[\s\p{Z}]+$", "")


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
