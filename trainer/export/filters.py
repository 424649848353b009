"""Which items a request allows on its page."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from trainer.export.catalogue import Catalogue
from trainer.funnel.scores import segment_ids
from trainer.one_op import one_op

# In place of a category's number: none is named here.
_NO_CATEGORY = -3


class Filters(NamedTuple):
    """What a request rules out, for B requests."""

    exclude_item_ids: tf.Tensor  # [B, E] string, '' pads
    categories: tf.Tensor  # [B, F] string, '' pads; all '' = any category
    price_min: tf.Tensor  # [B] float32, 0 = no limit
    price_max: tf.Tensor  # [B] float32, 0 = no limit
    in_stock_only: tf.Tensor  # [B] bool


def allowed_items(catalogue: Catalogue, filters: Filters) -> tf.Tensor:
    """[B, n] bool: the catalogue rows that pass every filter.

    An item without a price passes only where no price limit is set.
    """
    wanted = catalogue.prefix_numbers(filters.categories)  # [B, F]
    is_given = filters.categories != ""
    wanted = tf.where(is_given, wanted, _NO_CATEGORY)
    # 0 and below are no limits.
    has_least, has_most = filters.price_min > 0, filters.price_max > 0
    least = tf.where(has_least, filters.price_min, -np.inf)
    most = tf.where(has_most, filters.price_max, np.inf)
    in_stock_only = filters.in_stock_only
    shape = [tf.shape(wanted)[0], catalogue.num_items]

    def passing() -> tf.Tensor:
        return (
            _in_categories(catalogue, wanted)
            & (catalogue.least_prices >= least[:, tf.newaxis])
            & (catalogue.most_prices <= most[:, tf.newaxis])
            & (catalogue.in_stock | ~in_stock_only[:, tf.newaxis])
        )

    # Most requests say nothing of what they want; then the catalogue is not looked at.
    said = tf.reduce_any(has_least | has_most | in_stock_only)
    said |= tf.reduce_any(is_given)
    with one_op():
        found = tf.cond(said, passing, lambda: tf.ones(shape, tf.bool))
    excluded = catalogue.rows(filters.exclude_item_ids)
    return _without(found, excluded, catalogue.num_items)


def _in_categories(catalogue: Catalogue, wanted: tf.Tensor) -> tf.Tensor:
    """[B, n]: an item's category or one above it is wanted, or none is named."""
    # [B, F, 1, 1] against [K, depth]: looked at by category, not by item.
    matches = wanted[:, :, tf.newaxis, tf.newaxis] == catalogue.category_prefixes
    matches = tf.reduce_any(matches, axis=[1, 3])  # [B, K]
    matches |= tf.reduce_all(wanted == _NO_CATEGORY, axis=1, keepdims=True)
    # Batch last: a look-up then copies a run of B values.
    found = tf.gather(tf.transpose(matches), catalogue.category_of)
    return tf.transpose(found)


def _without(allowed: tf.Tensor, rows: tf.Tensor, num_items: int) -> tf.Tensor:
    """Allowed [B, n], but for the rows [B, E] of each request; n pads."""
    width = num_items + 1

    def fewer() -> tf.Tensor:
        # Counts, as a scatter of bool has no GPU kernel; the pads are cut off again.
        ones, batch = tf.ones_like(rows), tf.shape(rows)[0]
        flat = segment_ids(rows, width)
        hits = tf.math.unsorted_segment_sum(ones, flat, batch * width)
        return allowed & (tf.reshape(hits, [-1, width])[:, :-1] == 0)

    with one_op():
        return tf.cond(tf.reduce_any(rows < num_items), fewer, lambda: allowed)
