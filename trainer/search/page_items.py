"""The items that may be on a query's page, side by side: few of a large catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from trainer.funnel.candidates import LOWEST
from trainer.funnel.scores import pick, segment_ids


class PageItems(NamedTuple):
    """W columns for each query, in the order of the catalogue.

    An item that several lists hold has several columns, of which the first counts.
    """

    rows: tf.Tensor  # [B, W] int32 ascending catalogue rows; n pads, as the last one
    num_items: int  # n

    @classmethod
    def of(cls, lists: Sequence[tf.Tensor], num_items: int) -> PageItems:
        """The items of the lists, [B, M_i] int32 catalogue rows, n pads."""
        pads = tf.fill([tf.shape(lists[0])[0], 1], num_items)
        return cls(tf.sort(tf.concat([*lists, pads], axis=1), axis=1), num_items)

    @property
    def first(self) -> tf.Tensor:
        """[B, W] bool: the columns that count; none of the pads'."""
        before = tf.pad(self.rows[:, :-1], [[0, 0], [1, 0]], constant_values=-1)
        return (self.rows != before) & (self.rows < self.num_items)

    def columns(self, rows: tf.Tensor) -> tf.Tensor:
        """[B, C] int32: the first column of catalogue rows [B, C].

        Of what has no column, as of the pads, the last one, in which nothing stands.
        """
        width = tf.shape(self.rows)[1]
        found = tf.searchsorted(self.rows, rows)
        there = pick(tf.reshape(self.rows, [-1]), found, width) == rows
        return tf.where(there & (rows < self.num_items), found, width - 1)

    def picked(self, dense: tf.Tensor) -> tf.Tensor:
        """[B, W]: of a number for each item of the catalogue, [B, >= n + 1]."""
        return pick(tf.reshape(dense, [-1]), self.rows, tf.shape(dense)[1])

    def heights(self, scores: tf.Tensor) -> tf.Tensor:
        """[B, W] in [0, 1]: above the catalogue's mean, as a share of its best's.

        Args:
          scores: [B, n + 1] of every item; LOWEST gives 0.
        """
        real = tf.cast(scores > LOWEST / 2, tf.float32)
        total = tf.reduce_sum(scores * real, axis=1, keepdims=True)
        mean = tf.math.divide_no_nan(total, tf.reduce_sum(real, axis=1, keepdims=True))
        highest = tf.reduce_max(scores, axis=1, keepdims=True)
        above = tf.nn.relu(self.picked(scores) - mean)
        return tf.math.divide_no_nan(above, tf.nn.relu(highest - mean))

    def added(self, rows: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        """[B, W]: values [B, M] of catalogue rows [B, M], summed where they count."""
        batch, width = tf.unstack(tf.shape(self.rows))
        at = segment_ids(self.columns(rows), width)
        summed = tf.math.unsorted_segment_sum(values, at, batch * width)
        return tf.reshape(summed, [batch, width])

    def best(self, scores: tf.Tensor, count: int) -> tf.Tensor:
        """[B, count] int32 rows of the columns with the best scores [B, W], in order.

        Args:
          scores: LOWEST rules a column out; where too few are left, n comes back.
        """
        short = tf.maximum(count - tf.shape(scores)[1], 0)
        pads = [[0, 0], [0, short]]
        scores = tf.pad(scores, pads, constant_values=LOWEST)
        rows = tf.pad(self.rows, pads, constant_values=self.num_items)
        values, places = tf.math.top_k(scores, k=count)
        rows = pick(tf.reshape(rows, [-1]), places, tf.shape(rows)[1])
        return tf.where(values > LOWEST / 2, rows, self.num_items)
