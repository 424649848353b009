"""Which items a request allows on its page."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from trainer.export.catalogue import Catalogue


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
    return (
        _not_excluded(catalogue, filters.exclude_item_ids)
        & _in_categories(catalogue, filters.categories)
        & _in_price_range(catalogue, filters.price_min, filters.price_max)
        & (catalogue.in_stock[tf.newaxis] | ~filters.in_stock_only[:, tf.newaxis])
    )


def _not_excluded(catalogue: Catalogue, exclude_item_ids: tf.Tensor) -> tf.Tensor:
    rows = catalogue.rows(exclude_item_ids)  # [B, E]; unknown and pads: num_items
    batch_size, width = tf.shape(rows)[0], catalogue.num_items + 1
    flat = rows + width * tf.range(batch_size)[:, tf.newaxis]
    # One scatter over all requests; the column of pads is cut off again.
    hits = tf.math.unsorted_segment_sum(
        tf.ones_like(flat), flat, num_segments=batch_size * width
    )
    return tf.reshape(hits, [batch_size, width])[:, :-1] == 0


def _in_categories(catalogue: Catalogue, categories: tf.Tensor) -> tf.Tensor:
    given = categories != ""  # [B, F]
    wanted = tf.where(given, catalogue.prefix_numbers(categories), -2)
    # [B, F, 1, 1] against [n, depth]: an item matches if any of its prefixes is wanted.
    matches = wanted[:, :, tf.newaxis, tf.newaxis] == catalogue.item_prefixes
    matches = tf.reduce_any(matches, axis=[1, 3])  # [B, n]
    return matches | ~tf.reduce_any(given, axis=1, keepdims=True)


def _in_price_range(
    catalogue: Catalogue, price_min: tf.Tensor, price_max: tf.Tensor
) -> tf.Tensor:
    prices = catalogue.prices[tf.newaxis]  # [1, n]; NaN fails every comparison
    low, high = price_min[:, tf.newaxis], price_max[:, tf.newaxis]
    return ((prices >= low) | (low <= 0)) & ((prices <= high) | (high <= 0))
