"""Parts of a time that shops have a rhythm in."""

from __future__ import annotations

import tensorflow as tf

from core.features import SECONDS_PER_DAY

NUM_HOURS = 24
NUM_WEEKDAYS = 7
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0


def hour_of_day(timestamps: tf.Tensor) -> tf.Tensor:
    """Hour 0 .. 23, UTC.

    Args:
      timestamps: [...] int64, seconds since 1970.
    """
    return tf.math.floormod(timestamps, SECONDS_PER_DAY) // 3600


def day_of_week(timestamps: tf.Tensor) -> tf.Tensor:
    """Day 0 (Monday) .. 6 (Sunday), UTC.

    Args:
      timestamps: [...] int64, seconds since 1970.
    """
    days = tf.math.floordiv(timestamps, SECONDS_PER_DAY)
    return tf.math.floormod(days + _EPOCH_WEEKDAY, NUM_WEEKDAYS)
