"""Sums over the postings of a query's terms, one dense row per query."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer.funnel.integer_tables import integer_variable, integers

Form = Literal["ragged", "segment"]
_ROW_BITS = 32
_ROW_MASK = (1 << _ROW_BITS) - 1
# Of two-stage top-k; widths are a multiple of it, so that there is nothing to pad.
CHUNKS = 32


class Sums(NamedTuple):
    """Dense rows [B, width] of a batch of queries; zeros from the last item on."""

    scores: tf.Tensor  # float32: summed impacts
    codes: tf.Tensor  # int64: summed codes


class Postings(tf.Module):
    """Term → postings, each an int64 of impact above item row, and an int64 code.

    One int64 is read 1.5 times as fast as a row and an impact apart, float16 ones too.
    Codes are summed like impacts: up to four 16-bit counters side by side.

    Two forms give the same sums. `ragged` copies each term's list whole and adds it up
    in two CPU ops. `segment` computes every posting's address, so that all its ops on
    postings have GPU kernels; index arithmetic is int64 since int32 stays on the host.
    """

    def __init__(
        self,
        splits: npt.NDArray[np.int32],
        rows: npt.NDArray[np.int32],
        impacts: npt.NDArray[np.float32],
        codes: npt.NDArray[np.int64],
        *,
        num_items: int,
        form: Form,
    ) -> None:
        """Ids from V on, V = len(splits) - 1, are terms without postings (two)."""
        super().__init__(name="postings")
        self.width = -(-(num_items + 1) // CHUNKS) * CHUNKS
        self.form = form
        bits = impacts.astype(np.float32).view(np.int32).astype(np.int64)
        self._splits = integer_variable(np.append(splits, [splits[-1]] * 2), "splits")
        self._packed = tf.Variable(
            rows.astype(np.int64) | (bits << _ROW_BITS), trainable=False, name="packed"
        )
        self._codes = tf.Variable(codes, trainable=False, name="codes")

    def scores(self, terms: tf.Tensor) -> tf.Tensor:
        """[B, width] float32: each item's summed impacts of terms [B, T] int32."""
        if self.form == "ragged":
            return self._ragged(terms, with_codes=False)[0]
        return self._segment(terms, with_codes=False)[0]

    def sums(self, terms: tf.Tensor) -> Sums:
        """Impacts and codes, summed over terms [B, T] int32."""
        if self.form == "ragged":
            return Sums(*self._ragged(terms, with_codes=True))
        return Sums(*self._segment(terms, with_codes=True))

    def _ragged(self, terms: tf.Tensor, *, with_codes: bool) -> list[tf.Tensor]:
        packed, splits = self._lists(terms, self._packed)
        batch, width = tf.shape(terms)[0], tf.shape(terms)[1]
        ends = tf.cast(tf.gather(splits, tf.range(batch + 1) * width), tf.int64)
        halves = tf.bitcast(packed, tf.int32)  # low word first
        weights = [tf.bitcast(halves[:, 1], tf.float32)]
        if with_codes:
            weights.append(self._lists(terms, self._codes)[0])
        return [
            tf.ensure_shape(
                tf.raw_ops.RaggedBincount(
                    splits=ends, values=halves[:, 0], size=self.width, weights=each
                ),
                [None, self.width],
            )
            for each in weights
        ]

    def _lists(
        self, terms: tf.Tensor, values: tf.Variable
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The terms' lists, one after the other, and row splits [B * T + 1]."""
        # `read_value` throughout: a variable that `tf.gather` reads by its handle is
        # copied whole on every other read from then on.
        found = tf.raw_ops.RaggedGather(
            params_nested_splits=[integers(self._splits.read_value())],
            params_dense_values=values.read_value(),
            indices=tf.reshape(terms, [-1]),
            OUTPUT_RAGGED_RANK=1,
        )
        return found.output_dense_values, found.output_nested_splits[0]

    def _segment(self, terms: tf.Tensor, *, with_codes: bool) -> list[tf.Tensor]:
        at, starts = self._addresses(terms)
        packed = tf.gather(self._packed.read_value(), at)
        row = tf.bitwise.bitwise_and(packed, tf.constant(_ROW_MASK, tf.int64)) + starts
        size = tf.shape(terms)[0] * self.width
        bits = tf.cast(tf.bitwise.right_shift(packed, _ROW_BITS), tf.int32)
        impacts = tf.bitcast(bits, tf.float32)
        sums = [tf.math.unsorted_segment_sum(impacts, row, size)]
        if with_codes:
            # int64 sums have no GPU kernel; no counter runs over into the upper half.
            halves = tf.bitcast(tf.gather(self._codes.read_value(), at), tf.int32)
            summed = tf.math.unsorted_segment_sum(halves, row, size)
            sums.append(tf.bitcast(summed, tf.int64))
        return [tf.reshape(each, [-1, self.width]) for each in sums]

    def _addresses(self, terms: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Place of every posting in `_packed`, and where its query's row starts."""
        flat = tf.reshape(terms, [-1])
        splits = tf.cast(integers(self._splits.read_value()), tf.int64)
        starts, limits = tf.gather(splits, flat), tf.gather(splits, flat + 1)
        ends = tf.cumsum(limits - starts)
        # As many as there are postings; the largest of no numbers is below 0.
        places = tf.range(tf.maximum(tf.reduce_max(ends), 0))
        slot = tf.searchsorted(ends, places, side="right", out_type=tf.int64)
        at = places + tf.gather(limits - ends, slot)
        query = slot // tf.cast(tf.maximum(tf.shape(terms)[1], 1), tf.int64)
        return at, query * self.width
