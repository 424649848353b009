"""Columns as Transform hands them over become dense vectors."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def densify(column: Any, default: Any) -> tf.Tensor:
    """One value per row.

    Args:
      column: [batch_size, <= 1] SparseTensor or RaggedTensor, or a dense tensor of
        [batch_size] or [batch_size, 1]; any dtype. Of several values the first counts.
      default: what stands for a missing value.

    Returns:
      [batch_size] tensor of the column's dtype.
    """
    if isinstance(column, tf.RaggedTensor):
        column = column.to_sparse()
    if isinstance(column, tf.SparseTensor):
        first = tf.equal(column.indices[:, 1], 0)
        rows = tf.boolean_mask(column.indices[:, 0], first)
        values = tf.boolean_mask(column.values, first)
        present = tf.scatter_nd(
            rows[:, None], tf.ones_like(rows), column.dense_shape[:1]
        )
        # Rows are sorted, so the running count of present rows finds each one's value.
        position = tf.maximum(tf.cumsum(present) - 1, 0)
        default_values = tf.constant([default], column.dtype)
        found = tf.gather(
            tf.concat([values, default_values], 0),
            tf.where(present > 0, position, tf.size(values, tf.int64)),
        )
        return found
    return tf.reshape(column, [-1])


def context_values(column: Any) -> tf.Tensor:
    """A context column as strings, whatever its dtype; '' where missing.

    Args:
      column: as in `densify`; numbers become their decimal form.

    Returns:
      [batch_size] string.
    """
    if column.dtype == tf.string:
        return densify(column, "")
    if isinstance(column, tf.SparseTensor):
        texts = tf.strings.as_string(column.values)
        return densify(tf.SparseTensor(column.indices, texts, column.dense_shape), "")
    return tf.strings.as_string(densify(column, 0))


def sparsify(values: tf.Tensor) -> tf.SparseTensor:
    """The reverse of `densify`: '' and NaN become missing.

    Args:
      values: [batch_size] string, float32 or int64.

    Returns:
      SparseTensor of dense shape [batch_size, 1].
    """
    if values.dtype == tf.string:
        present = tf.not_equal(values, "")
    elif values.dtype.is_floating:
        present = tf.logical_not(tf.math.is_nan(values))
    else:
        present = tf.ones_like(values, tf.bool)
    rows = tf.where(present)
    return tf.SparseTensor(
        indices=tf.concat([rows, tf.zeros_like(rows)], 1),
        values=tf.boolean_mask(values, present),
        dense_shape=tf.stack([tf.size(values, tf.int64), 1]),
    )
