"""Serializes sampled candidates as tf.Examples of `serving_default`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy.typing as npt
import tensorflow as tf

from components.evaluate_funnel.slices import Labels
from components.evaluate_funnel.test_set import IntArray, TestSet
from core import features, signatures

LABEL = "label"
FILE_NAME = "data_tfrecord-00000-of-00001.gz"
_TARGETS = (
    features.TARGET_ITEM_IDS,
    features.TARGET_EVENTS,
    features.TARGET_TIMESTAMPS,
)


def write_rank_examples(
    test_set: TestSet,
    slices: dict[str, Labels],
    candidates: tuple[IntArray, IntArray, npt.NDArray[Any]],
    folder: Path,
    *,
    max_history: int,
) -> int:
    """Writes one tf.Example per candidate; returns how many.

    Each holds the person and moment (user_id, timestamp, history_*, context), one
    `candidate_item_ids`, `label` 0 or 1, and the slice features. A slice feature named
    like a context feature would hide that from the model, so these keep the moment's
    own value.

    Args:
      test_set: the moments.
      slices: slice feature → [M] labels.
      candidates: moment numbers, catalogue rows, labels, as of `sample_candidates`.
      folder: the split's folder, made where missing.
      max_history: newest events kept.
    """
    numbers, rows, labels = candidates
    item_ids = test_set.items.column(features.ITEM_ID).to_pylist()
    moments = test_set.moments.to_pylist()
    folder.mkdir(parents=True, exist_ok=True)
    options = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)
    last, person = -1, {}
    with tf.io.TFRecordWriter(str(folder / FILE_NAME), options) as writer:
        for number, row, label in zip(
            numbers.tolist(), rows.tolist(), labels.tolist(), strict=True
        ):
            if number != last:
                last, person = number, _person(moments[number], max_history)
                for name, values in slices.items():
                    person.setdefault(name, _feature([values[number]]))
            example = tf.train.Example(
                features=tf.train.Features(
                    feature={
                        **person,
                        signatures.CANDIDATE_ITEM_IDS: _feature([item_ids[row]]),
                        LABEL: _feature([float(label)]),
                    }
                )
            )
            writer.write(example.SerializeToString())
    return len(numbers)


def _person(moment: dict[str, Any], max_history: int) -> dict[str, tf.train.Feature]:
    kept = {k: v for k, v in moment.items() if k not in _TARGETS and v is not None}
    return {
        name: _feature(value[-max_history:] if isinstance(value, list) else [value])
        for name, value in kept.items()
    }


def _feature(values: Iterable[Any]) -> tf.train.Feature:
    listed = list(values)
    if listed and isinstance(listed[0], float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=listed))
    if listed and isinstance(listed[0], int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=listed))
    encoded = [str(v).encode() for v in listed]
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=encoded))
