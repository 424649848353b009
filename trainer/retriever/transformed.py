"""Raw columns in NumPy or Arrow through the Transform graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import tensorflow as tf

from core import features
from trainer.preprocessing import names
from trainer.preprocessing.columns import sparsify

if TYPE_CHECKING:
    import tensorflow_transform as tft

ITEM_COLUMNS = (
    features.ITEM_ID,
    features.TITLE,
    features.CATEGORY,
    features.BRAND,
    features.PRICE,
)
_BATCH_SIZE = 8192


def apply_layer(
    layer: Any, raw_spec: dict[str, Any], columns: dict[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    """Transformed features of the raw columns given, others left out.

    Args:
      layer: `TFTransformOutput.transform_features_layer()`.
      raw_spec: `TFTransformOutput.raw_feature_spec()`; columns it lacks are ignored.
      columns: name -> [batch_size] dense values, '' and NaN where missing.

    Returns:
      name -> what depends on those columns alone.
    """
    inputs = {}
    for name, values in columns.items():
        if name not in raw_spec:
            continue
        spec = raw_spec[name]
        if isinstance(spec, tf.io.FixedLenFeature):
            shape = [-1, *spec.shape] if spec.shape else [-1]
            inputs[name] = tf.reshape(_cast(values, spec.dtype), shape)
        else:
            known = sparsify(values)
            inputs[name] = known.with_values(_cast(known.values, spec.dtype))
    return dict(layer(inputs))


def transform_table(
    transform: tft.TFTransformOutput, table: pa.Table
) -> dict[str, np.ndarray]:
    """Transformed features of a table of plain columns.

    Args:
      transform: the Transform step's graph.
      table: string, int64 and float32 columns, null where missing.

    Returns:
      name -> [num_rows] or [num_rows, width] arrays, int32 where the graph has int64.
    """
    layer = transform.transform_features_layer()
    raw_spec = transform.raw_feature_spec()
    parts = []
    for start in range(0, max(table.num_rows, 1), _BATCH_SIZE):
        rows = table.slice(start, _BATCH_SIZE)
        columns = {n: _tensor(rows.column(n)) for n in rows.column_names}
        parts.append(apply_layer(layer, raw_spec, columns))
    arrays = {
        name: np.concatenate([part[name].numpy() for part in parts])
        for name in parts[0]
    }
    return {
        n: a.astype(np.int32) if a.dtype == np.int64 else a for n, a in arrays.items()
    }


def feature_sizes(transform: tft.TFTransformOutput) -> dict[str, int]:
    """Largest id of each categorical feature that the graph makes.

    Args:
      transform: the Transform step's graph.

    Returns:
      transformed name -> largest id (the vocabulary's size; 0 is unknown).
    """
    made = transform.transformed_feature_spec()
    vocabularies = {
        names.USER_ID: names.USER_VOCABULARY,
        names.ITEM_ID: names.ITEM_VOCABULARY,
        names.CATEGORY: names.CATEGORY_VOCABULARY,
        names.BRAND: names.BRAND_VOCABULARY,
        names.TITLE_TOKENS: names.TITLE_VOCABULARY,
    }
    prefix, suffix = names.context("|").split("|")
    for name in made:
        if name.startswith(prefix):
            column = name[len(prefix) : -len(suffix)]
            vocabularies[name] = names.context_vocabulary(column)
    return {
        name: int(transform.vocabulary_size_by_name(vocabulary))
        for name, vocabulary in vocabularies.items()
        if name in made
    }


def _tensor(column: pa.ChunkedArray) -> tf.Tensor:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return tf.constant(column.fill_null("").to_pylist(), tf.string)
    if pa.types.is_floating(column.type):
        return tf.constant(column.fill_null(np.nan).to_numpy(), tf.float32)
    return tf.constant(column.fill_null(0).to_numpy(), tf.int64)


def _cast(values: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Context columns come as strings, whatever their raw type was."""
    if values.dtype == dtype:
        return values
    if values.dtype == tf.string:
        empty = tf.equal(values, "")
        return tf.strings.to_number(tf.where(empty, "0", values), dtype)
    if dtype == tf.string:
        return tf.strings.as_string(values)
    return tf.cast(values, dtype)
