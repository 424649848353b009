"""All transformed features of a row of denormalized events."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from core import features
from core.config.transform import TransformConfig
from trainer.preprocessing import names
from trainer.preprocessing.categories import category_prefixes
from trainer.preprocessing.columns import context_values, densify
from trainer.preprocessing.prices import price_buckets, scaled_log_prices
from trainer.preprocessing.text import pad_tokens, tokenize
from trainer.preprocessing.times import day_of_week, hour_of_day
from trainer.preprocessing.vocabularies import event_ids, ids_of


def transformed_features(
    inputs: dict[str, Any], config: TransformConfig
) -> dict[str, tf.Tensor]:
    """Dictionary of dense features; each depends on its own column alone.

    That makes partial application possible: item columns alone give the item features,
    user, context and time columns alone give the query's.

    Args:
      inputs: raw columns, [batch_size] each, sparse where a value may be missing.
      config: vocabulary sizes, title length, event types, context columns.

    Returns:
      name -> [batch_size] or [batch_size, width] int64 (float32 for log_price_xf).
    """
    return {**query_features(inputs, config), **item_features(inputs, config)}


def query_features(
    inputs: dict[str, Any], config: TransformConfig
) -> dict[str, tf.Tensor]:
    """Features of the person, the time and the event."""
    user_ids = densify(inputs[features.USER_ID], "")
    events = densify(inputs[features.EVENT], "")
    timestamps = densify(inputs[features.TIMESTAMP], 0)
    outputs = {
        names.USER_ID: ids_of(
            user_ids, vocabulary=names.USER_VOCABULARY, max_size=config.max_users
        ),
        names.EVENT: event_ids(events, config.event_types),
        names.HOUR: hour_of_day(timestamps),
        names.WEEKDAY: day_of_week(timestamps),
    }
    for name in config.context_features:
        outputs[names.context(name)] = ids_of(
            context_values(inputs[name]),
            vocabulary=names.context_vocabulary(name),
            max_size=config.max_brands,
        )
    return outputs


def item_features(
    inputs: dict[str, Any], config: TransformConfig
) -> dict[str, tf.Tensor]:
    """Features of the item; a column that the table lacks counts as unknown."""
    item_ids = densify(inputs[features.ITEM_ID], "")
    outputs = {
        names.ITEM_ID: ids_of(
            item_ids, vocabulary=names.ITEM_VOCABULARY, max_size=config.max_items
        ),
        names.TITLE_TOKENS: pad_tokens(
            ids_of(
                tokenize(densify(inputs[features.TITLE], "")),
                vocabulary=names.TITLE_VOCABULARY,
                max_size=config.max_title_vocabulary,
                min_count=config.min_token_count,
            ),
            config.max_title_tokens,
        ),
    }
    if features.CATEGORY in inputs:
        prefixes = category_prefixes(
            densify(inputs[features.CATEGORY], ""), config.category_levels
        )
        outputs[names.CATEGORY] = ids_of(
            prefixes, vocabulary=names.CATEGORY_VOCABULARY, max_size=config.max_brands
        )
    if features.BRAND in inputs:
        outputs[names.BRAND] = ids_of(
            densify(inputs[features.BRAND], ""),
            vocabulary=names.BRAND_VOCABULARY,
            max_size=config.max_brands,
        )
    if features.PRICE in inputs:
        prices = densify(inputs[features.PRICE], float("nan"))
        outputs[names.LOG_PRICE] = scaled_log_prices(prices)
        outputs[names.PRICE_BUCKET] = price_buckets(prices, config.num_price_buckets)
    return outputs
