"""Prices become a z-scored logarithm and a quantile bucket."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_transform as tft


def known_prices(prices: tf.Tensor) -> tf.Tensor:
    """Which prices are numbers above zero.

    Args:
      prices: [batch_size] float32, NaN where unknown.

    Returns:
      [batch_size] bool.
    """
    return tf.greater(prices, 0.0)  # False for NaN


def log_prices(prices: tf.Tensor) -> tf.Tensor:
    """log(1 + price), 0 where unknown.

    Args:
      prices: [batch_size] float32.
    """
    return tf.where(known_prices(prices), tf.math.log1p(tf.nn.relu(prices)), 0.0)


def scaled_log_prices(prices: tf.Tensor) -> tf.Tensor:
    """z-score of `log_prices` over the analyzed rows with a price; 0 where unknown.

    Args:
      prices: [batch_size] float32, NaN where unknown.

    Returns:
      [batch_size] float32, within +-6.
    """
    known = known_prices(prices)
    logs = log_prices(prices)
    seen = tf.boolean_mask(logs, known)
    mean, variance = tft.mean(seen), tft.var(seen)
    scaled = (logs - mean) / tf.sqrt(tf.maximum(variance, 1e-6))
    return tf.where(known, tf.clip_by_value(scaled, -6.0, 6.0), 0.0)


def price_buckets(prices: tf.Tensor, num_buckets: int) -> tf.Tensor:
    """Quantile bucket 1 .. num_buckets over the analyzed rows; 0 where unknown.

    Args:
      prices: [batch_size] float32, NaN where unknown.
      num_buckets: how many buckets of about equal count.

    Returns:
      [batch_size] int64.
    """
    known = known_prices(prices)
    boundaries = tft.quantiles(
        tf.boolean_mask(prices, known), num_buckets=num_buckets, epsilon=0.01
    )
    buckets = tft.apply_buckets(tf.where(known, prices, 0.0), boundaries)
    # apply_buckets counts the boundaries passed: 0 .. num_buckets - 1.
    buckets = tf.minimum(buckets, num_buckets - 1)
    return tf.where(known, buckets + 1, 0)
