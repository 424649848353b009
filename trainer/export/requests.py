"""The inputs of each signature, and the moment made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

from core import features, signatures
from core.config import ShopConfig
from core.features import SECONDS_PER_DAY
from trainer.export.catalogue import Catalogue
from trainer.export.filters import Filters
from trainer.moment import Moment

TensorSpecs = dict[str, tf.TensorSpec]


def person_specs(shop: ShopConfig) -> TensorSpecs:
    """Inputs that describe a person and a moment; B and H are dynamic."""
    return _named(
        {
            features.USER_ID: ([None], tf.string),
            features.HISTORY_ITEM_IDS: ([None, None], tf.string),
            features.HISTORY_EVENTS: ([None, None], tf.string),
            features.HISTORY_TIMESTAMPS: ([None, None], tf.int64),
            features.TIMESTAMP: ([None], tf.int64),
            **{name: ([None], tf.string) for name in shop.context_features},
        }
    )


def filter_specs() -> TensorSpecs:
    """Inputs that narrow a page, and its length `k`."""
    return _named(
        {
            signatures.EXCLUDE_ITEM_IDS: ([None, None], tf.string),
            signatures.CATEGORIES: ([None, None], tf.string),
            signatures.PRICE_MIN: ([None], tf.float32),
            signatures.PRICE_MAX: ([None], tf.float32),
            signatures.IN_STOCK_ONLY: ([None], tf.bool),
            signatures.K: ([], tf.int32),
        }
    )


def query_specs() -> TensorSpecs:
    """The words of a search, [B]."""
    return _named({features.QUERY: ([None], tf.string)})


def candidate_specs() -> TensorSpecs:
    """The candidates that `rank` scores, [B, C]."""
    return _named({signatures.CANDIDATE_ITEM_IDS: ([None, None], tf.string)})


def item_specs() -> TensorSpecs:
    """Columns of items for `embed_item`, [M] each; an unknown price is NaN or <= 0."""
    texts = (features.ITEM_ID, features.TITLE, features.CATEGORY, features.BRAND)
    return _named(
        {
            **{name: ([None], tf.string) for name in texts},
            features.PRICE: ([None], tf.float32),
        }
    )


def item_text_specs() -> TensorSpecs:
    """Text columns of items for an `embed_item` by words alone, [M] each."""
    texts = (features.TITLE, features.BRAND, features.CATEGORY, features.DESCRIPTION)
    return _named({name: ([None], tf.string) for name in texts})


def _named(shapes: Mapping[str, tuple[Sequence[int | None], tf.DType]]) -> TensorSpecs:
    return {
        name: tf.TensorSpec(shape, dtype, name=name)
        for name, (shape, dtype) in shapes.items()
    }


def filters_from(inputs: Mapping[str, tf.Tensor]) -> Filters:
    """The filter inputs of a request."""
    return Filters(**{name: inputs[name] for name in Filters._fields})


class MomentReader(tf.Module):
    """Turns the strings and seconds of a request into a `Moment`."""

    def __init__(self, catalogue: Catalogue, shop: ShopConfig, *, as_of: int) -> None:
        """
        Args:
          catalogue: ids to rows.
          shop: event types and context features.
          as_of: the time, in seconds UTC, that a request without one is given: the end
            of the data that the bundle was built from.
        """
        super().__init__(name="moment_reader")
        self._catalogue = catalogue
        self._context = shop.context_features
        self._as_of = as_of
        self._event_numbers = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(shop.event_types, tf.string),
                tf.range(len(shop.event_types), dtype=tf.int32),
            ),
            default_value=-1,
        )

    def __call__(self, inputs: Mapping[str, tf.Tensor]) -> Moment:
        """The moment of a request.

        Events without a time count as a day old; events at or after the request's own
        time are not history and become padding, so nothing can look ahead.
        """
        num_items = self._catalogue.num_items
        timestamps = inputs[features.TIMESTAMP]
        timestamps = tf.where(timestamps > 0, timestamps, self._as_of)
        times = inputs[features.HISTORY_TIMESTAMPS]
        rows = self._catalogue.rows(inputs[features.HISTORY_ITEM_IDS])
        undated = timestamps[:, tf.newaxis] - SECONDS_PER_DAY
        times = tf.where(times > 0, times, undated)
        past = (rows < num_items) & (times < timestamps[:, tf.newaxis])
        events = self._event_numbers.lookup(inputs[features.HISTORY_EVENTS])
        # One slot of padding in front: reductions over a history never see none.
        front = [[0, 0], [1, 0]]
        return Moment(
            user_ids=inputs[features.USER_ID],
            timestamps=timestamps,
            history_rows=tf.pad(
                tf.where(past, rows, num_items), front, constant_values=num_items
            ),
            history_events=tf.pad(
                tf.where(past, events, -1), front, constant_values=-1
            ),
            # `tf.pad` of int64 has no GPU kernel.
            history_timestamps=tf.concat(
                [tf.zeros_like(timestamps)[:, tf.newaxis], tf.where(past, times, 0)], 1
            ),
            context={name: inputs[name] for name in self._context},
        )


def stacked_context(moment: Moment, shop: ShopConfig) -> tf.Tensor:
    """[B, K] string: the context features in the shop's order."""
    if not shop.context_features:
        return tf.zeros([tf.shape(moment.timestamps)[0], 0], tf.string)
    return tf.stack([moment.context[n] for n in shop.context_features], axis=1)
