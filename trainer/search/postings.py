"""Sums over the postings of a query's terms, one dense row per query."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Form = Literal["ragged", "segment"]
_ROW_BITS = 32
_ROW_MASK = (1 << _ROW_BITS) - 1
# Of two-stage top-k; widths are a multiple of it, so that there is nothing to pad.
CHUNKS = 32


class Postings(tf.Module):
    """Term → (item row, impact) lists as one int64 per posting: impact above row.

    One int64 is read 1.5 times as fast as a row and an impact apart, float16 ones too.

    Two forms give the same sums. `ragged` copies each term's list whole and adds it up
    in two CPU ops. `segment` computes every posting's address, so that all its ops on
    postings have GPU kernels; index arithmetic is int64 since int32 stays on the host.
    """

    def __init__(
        self,
        splits: npt.NDArray[np.int32],
        rows: npt.NDArray[np.int32],
        impacts: npt.NDArray[np.float32],
        *,
        num_items: int,
        form: Form,
    ) -> None:
        """Ids from V on, V = len(splits) - 1, are terms without postings (two)."""
        super().__init__(name="postings")
        self.width = -(-(num_items + 1) // CHUNKS) * CHUNKS
        self.form = form
        bits = impacts.astype(np.float32).view(np.int32).astype(np.int64)
        self._splits = tf.Variable(
            np.append(splits, [splits[-1]] * 2).astype(np.int32),
            trainable=False,
            name="splits",
        )
        self._packed = tf.Variable(
            rows.astype(np.int64) | (bits << _ROW_BITS), trainable=False, name="packed"
        )

    def score_rows(self, terms: tf.Tensor) -> tf.Tensor:
        """[B, width] float32: each item's summed impacts of terms [B, T] int32."""
        sums = self._ragged(terms) if self.form == "ragged" else self._segment(terms)
        return tf.ensure_shape(sums, [None, self.width])

    def weight_rows(self, terms: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """[B, width] float32: sums of `weights` [B, T] of the terms that items hold."""
        at, slot, row = self._addresses(terms)
        packed = tf.gather(self._packed.read_value(), at)
        values = tf.gather(tf.reshape(weights, [-1]), slot)
        return self._summed(packed, values, row, tf.shape(terms)[0])

    def _ragged(self, terms: tf.Tensor) -> tf.Tensor:
        # `read_value` throughout: a variable that `tf.gather` reads by its handle is
        # copied whole on every other read from then on.
        found = tf.raw_ops.RaggedGather(
            params_nested_splits=[self._splits.read_value()],
            params_dense_values=self._packed.read_value(),
            indices=tf.reshape(terms, [-1]),
            OUTPUT_RAGGED_RANK=1,
        )
        batch, width = tf.shape(terms)[0], tf.shape(terms)[1]
        ends = tf.gather(found.output_nested_splits[0], tf.range(batch + 1) * width)
        halves = tf.bitcast(found.output_dense_values, tf.int32)  # low word first
        return tf.raw_ops.RaggedBincount(
            splits=tf.cast(ends, tf.int64),
            values=halves[:, 0],
            size=self.width,
            weights=tf.bitcast(halves[:, 1], tf.float32),
        )

    def _segment(self, terms: tf.Tensor) -> tf.Tensor:
        at, _, row = self._addresses(terms)
        packed = tf.gather(self._packed.read_value(), at)
        bits = tf.cast(tf.bitwise.right_shift(packed, _ROW_BITS), tf.int32)
        impacts = tf.bitcast(bits, tf.float32)
        return self._summed(packed, impacts, row, tf.shape(terms)[0])

    def _addresses(self, terms: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Of all postings: place in `_packed`, slot in [B * T], start of the row."""
        flat = tf.reshape(terms, [-1])
        splits = tf.cast(self._splits.read_value(), tf.int64)
        starts, limits = tf.gather(splits, flat), tf.gather(splits, flat + 1)
        ends = tf.cumsum(limits - starts)
        # As many as there are postings; the largest of no numbers is below 0.
        places = tf.range(tf.maximum(tf.reduce_max(ends), 0))
        slot = tf.searchsorted(ends, places, side="right", out_type=tf.int64)
        at = places + tf.gather(limits - ends, slot)
        query = slot // tf.cast(tf.maximum(tf.shape(terms)[1], 1), tf.int64)
        return at, slot, query * self.width

    def _summed(
        self, packed: tf.Tensor, values: tf.Tensor, starts: tf.Tensor, batch: tf.Tensor
    ) -> tf.Tensor:
        rows = tf.bitwise.bitwise_and(packed, tf.constant(_ROW_MASK, tf.int64))
        flat = tf.math.unsorted_segment_sum(values, rows + starts, batch * self.width)
        return tf.reshape(flat, [-1, self.width])
