"""A moment's history in canonical order: duplicates, visits and ages, in the graph."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from core.features import SECONDS_PER_DAY
from trainer.moment import Moment


class History(NamedTuple):
    """[B, H] slots by (event type, visit, row, time), newest and valid first.

    The target event type comes ahead of all others, so that what only looks at target
    events reads the first slots alone.
    """

    rows: tf.Tensor  # int32 catalogue rows; num_items pads
    events: tf.Tensor  # int32 index into event_types; -1 pads
    ages: tf.Tensor  # float32 days between the event and the moment, >= 0
    valid: tf.Tensor  # float32 1 where an event of a known item stands
    fresh: tf.Tensor  # float32 1 at the first of each (event type, visit, item)
    visit: tf.Tensor  # float32 1 at the first of each (event type, visit)
    target: tf.Tensor  # float32 1 at fresh events of the target type


def canonical_history(
    moment: Moment, *, num_items: int, num_events: int, target: int, visit_s: int
) -> History:
    """Sorts the slots by one int64 key, so that order and padding do not matter.

    key = ((event * V + visit) * (n + 1) + row) * visit_s + second within the visit,
    with event types renumbered so that the target is the highest;
    events at or after the moment are dropped, for they cannot be its history.
    """
    stamps = moment.history_timestamps
    known = (moment.history_rows >= 0) & (moment.history_rows < num_items)
    typed = (moment.history_events >= 0) & (moment.history_events < num_events)
    valid = known & typed & (stamps > 0) & (stamps < moment.timestamps[:, None])
    width = tf.constant(num_items + 1, tf.int64)
    bucket = tf.constant(visit_s, tf.int64)
    spread = tf.constant(_visits_span(num_items, num_events, visit_s), tf.int64)
    visits = tf.minimum(stamps // bucket, spread - 1)
    shift = num_events - target - 1
    events = (tf.cast(moment.history_events, tf.int64) + shift) % num_events
    key = (events * spread + visits) * width + tf.cast(moment.history_rows, tf.int64)
    key = tf.where(valid, key * bucket + stamps % bucket, -1)
    key = tf.math.top_k(key, k=tf.shape(key)[1]).values
    valid = key >= 0
    items = key // bucket
    groups = items // width
    second = (groups % spread) * bucket + key % bucket
    real = tf.cast(valid, tf.float32)
    ages = tf.cast(moment.timestamps[:, None] - second, tf.float32) / SECONDS_PER_DAY
    events = tf.cast(groups // spread - shift, tf.int32) % num_events
    events = tf.where(valid, events, -1)
    fresh = _starts(items) * real
    return History(
        rows=tf.where(valid, tf.cast(items % width, tf.int32), num_items),
        events=events,
        ages=tf.where(valid, ages, 0.0),
        valid=real,
        fresh=fresh,
        visit=_starts(groups) * real,
        target=fresh * tf.cast(events == target, tf.float32),
    )


def _visits_span(num_items: int, num_events: int, visit_s: int) -> int:
    """The number of visit buckets that the key has room for (the year 2106 at most)."""
    room = 2**62 // ((num_items + 1) * visit_s * (num_events + 1))
    return max(1, min(room, 2**32 // visit_s + 1))


def _starts(keys: tf.Tensor) -> tf.Tensor:
    """[B, H] 1 where a key differs from the one before it."""
    changed = tf.cast(keys[:, 1:] != keys[:, :-1], tf.float32)
    return tf.concat([tf.ones_like(keys[:, :1], tf.float32), changed], axis=1)
