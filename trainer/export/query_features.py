"""The Transform step's features of person and time, without its whole graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from core import features
from trainer.preprocessing import names
from trainer.preprocessing.times import day_of_week, hour_of_day
from trainer.retriever.transformed import apply_layer

if TYPE_CHECKING:
    import tensorflow_transform as tft


class QueryFeatures(tf.Module):
    """What `preprocessing_fn` makes of user, time and context columns.

    The Transform graph computes every feature that it can at each call, those of the
    item from empty columns too: .7 ms a request. Here the same vocabulary files and the
    same functions give the same values alone. Context columns that are not strings
    still take the Transform graph, which knows how their numbers are written.
    """

    def __init__(
        self, transform: tft.TFTransformOutput, context_features: tuple[str, ...]
    ) -> None:
        super().__init__(name="query_features")
        self._raw_spec = transform.raw_feature_spec()
        self._context = context_features
        self._layer: Any = None
        if any(self._raw_spec[name].dtype != tf.string for name in context_features):
            self._layer = transform.transform_features_layer()
        vocabularies = {features.USER_ID: names.USER_VOCABULARY}
        vocabularies |= {n: names.context_vocabulary(n) for n in context_features}
        self._tables = {
            name: tf.lookup.StaticHashTable(
                tf.lookup.TextFileInitializer(
                    transform.vocabulary_file_by_name(vocabulary),
                    tf.string,
                    tf.lookup.TextFileIndex.WHOLE_LINE,
                    tf.int64,
                    tf.lookup.TextFileIndex.LINE_NUMBER,
                ),
                default_value=-1,
            )
            for name, vocabulary in vocabularies.items()
        }

    def __call__(
        self, user_ids: tf.Tensor, timestamps: tf.Tensor, context: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Transformed name -> [B] int64.

        Args:
          user_ids: [B] string.
          timestamps: [B] int64, seconds.
          context: [B, K] string, in the order of `context_features`.
        """
        raw = {features.USER_ID: user_ids, features.TIMESTAMP: timestamps}
        columns = {name: context[:, i] for i, name in enumerate(self._context)}
        if self._layer is not None:
            return apply_layer(self._layer, self._raw_spec, raw | columns)
        ids = {names.context(n): self._ids(n, values) for n, values in columns.items()}
        return ids | {
            names.USER_ID: self._ids(features.USER_ID, user_ids),
            names.HOUR: hour_of_day(timestamps),
            names.WEEKDAY: day_of_week(timestamps),
        }

    def _ids(self, name: str, values: tf.Tensor) -> tf.Tensor:
        """As `preprocessing.vocabularies.ids_of`: from 1; 0 where unknown."""
        return 1 + self._tables[name].lookup(values)
