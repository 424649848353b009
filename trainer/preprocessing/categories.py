"""Category paths become one prefix per level."""

from __future__ import annotations

import tensorflow as tf

from core.features import CATEGORY_SEPARATOR


def category_prefixes(categories: tf.Tensor, num_levels: int) -> tf.Tensor:
    """Prefixes of the path, from the first level down.

    `Home > Kitchen` at three levels is `Home`, `Home > Kitchen`, '' (the path ends).

    Args:
      categories: [batch_size] string, levels divided by ' > '; '' where unknown.
      num_levels: how many levels to return.

    Returns:
      [batch_size, num_levels] string.
    """
    parts = tf.strings.split(categories, CATEGORY_SEPARATOR)
    parts = parts.to_tensor("", shape=[None, num_levels])
    prefix = tf.strings.strip(parts[:, 0])
    prefixes = [prefix]
    for level in range(1, num_levels):
        part = tf.strings.strip(parts[:, level])
        longer = tf.strings.join([prefix, CATEGORY_SEPARATOR, part])
        prefix = tf.where(tf.equal(part, ""), "", longer)
        prefixes.append(prefix)
    return tf.stack(prefixes, 1)
