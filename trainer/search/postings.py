"""Sums over the postings of a query's terms."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer.funnel.candidates import top_rows

Form = Literal["ragged", "segment"]
# Postings are copied by the block: one by one they take twice the time, and more than
# 16 would fill the tables of rare terms with pads.
BLOCK = 16
# Of two-stage top-k; widths are a multiple of it, so that there is nothing to pad.
CHUNKS = 32
# Up to so many blocks per query, `best` sorts what they hold, not the catalogue.
_FEW_BLOCKS = 8


class Sums(NamedTuple):
    """Dense rows [B, width] of a batch of queries; zeros from the last item on."""

    scores: tf.Tensor  # float32: summed impacts
    codes: tf.Tensor  # int64: summed codes


class _Blocks(NamedTuple):
    """The blocks of a batch's terms, one after the other."""

    at: tf.Tensor  # [K] rows of the tables
    splits: tf.Tensor  # [B + 1] int64: where each query's blocks begin


class Postings(tf.Module):
    """Term → postings: item rows, float32 impacts and int64 codes, in blocks.

    Codes are summed like impacts: up to four 16-bit counters side by side.

    Two forms give the same sums. `ragged` adds up with CPU ops. With `segment` all ops
    on postings have GPU kernels; its index arithmetic is int64 since int32 stays on the
    host.
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
        self.num_items = num_items
        self.width = -(-(num_items + 1) // CHUNKS) * CHUNKS
        self.form = form
        lengths = np.diff(splits)
        starts = np.cumsum(np.append(0, -(-lengths // BLOCK)))
        # Where each posting stands in the blocks; a pad is a posting of no item.
        at = np.arange(len(rows)) - np.repeat(splits[:-1], lengths)
        at += np.repeat(starts[:-1] * BLOCK, lengths)

        def blocks(
            values: npt.NDArray[np.generic], pad: int
        ) -> npt.NDArray[np.generic]:
            filled = np.full(starts[-1] * BLOCK, pad, values.dtype)
            filled[at] = values
            return filled.reshape(-1, BLOCK)

        starts = np.append(starts, [starts[-1]] * 2)
        self._starts = _words(starts[:-1], "starts")
        self._limits = _words(starts[1:], "limits")
        self._rows = _words(blocks(rows.astype(np.int32), num_items), "rows")
        self._impacts = _words(blocks(impacts.astype(np.float32), 0), "impacts")
        self._codes = _words(blocks(codes, 0), "codes")

    def scores(self, terms: tf.Tensor) -> tf.Tensor:
        """[B, width] float32: each item's summed impacts of terms [B, T] int32."""
        blocks = self._blocks(terms)
        return self._dense(blocks, [self._impacts_of(blocks)])[0]

    def sums(self, terms: tf.Tensor) -> Sums:
        """Impacts and codes, summed over terms [B, T] int32."""
        blocks = self._blocks(terms)
        codes = self._read(self._codes, blocks)
        return Sums(*self._dense(blocks, [self._impacts_of(blocks), codes]))

    def best(self, terms: tf.Tensor, k: int) -> tuple[tf.Tensor, tf.Tensor]:
        """The k largest sums of impacts, descending, and their item rows.

        Args:
          terms: [B, T] int32.
          k: static, at most n.

        Returns:
          [B, k] float32 and [B, k] int32; where fewer than k match, 0 and n.
        """
        blocks = self._blocks(terms)
        impacts = self._impacts_of(blocks)

        def dense() -> tuple[tf.Tensor, tf.Tensor]:
            return self.best_of_rows(self._dense(blocks, [impacts])[0], k)

        if self.form == "segment":
            return dense()
        few = tf.size(blocks.at) <= _FEW_BLOCKS * tf.shape(terms)[0]
        found: tuple[tf.Tensor, tf.Tensor] = tf.cond(
            few, lambda: self._best_of_touched(blocks, impacts, k), dense
        )
        return found

    def best_of_rows(self, scores: tf.Tensor, k: int) -> tuple[tf.Tensor, tf.Tensor]:
        """The same of dense rows [B, width] of which the columns from n on are 0."""
        values, rows = top_rows(scores, k, CHUNKS if k <= 32 else CHUNKS // 2)
        return values, self._held(values, rows)

    def _blocks(self, terms: tf.Tensor) -> _Blocks:
        flat = tf.reshape(terms, [-1])
        # `read_value` throughout: a variable that `tf.gather` reads by its handle is
        # copied whole on every other read from then on.
        starts = tf.gather(self._starts.read_value(), flat)
        limits = tf.gather(self._limits.read_value(), flat)
        batch, terms_each = tf.shape(terms)[0], tf.shape(terms)[1]
        firsts = tf.range(batch + 1) * terms_each
        if self.form == "ragged":
            found = tf.raw_ops.RaggedRange(
                starts=starts, limits=limits, deltas=tf.constant(1, tf.int64)
            )
            splits = tf.gather(found.rt_nested_splits, firsts)
            return _Blocks(found.rt_dense_values, splits)
        ends = tf.concat([[0], tf.cumsum(limits - starts)], axis=0)
        places = tf.range(ends[-1])
        slot = tf.searchsorted(ends[1:], places, side="right", out_type=tf.int64)
        at = places + tf.gather(limits - ends[1:], slot)
        return _Blocks(at, tf.gather(ends, firsts))

    def _read(self, table: tf.Variable, blocks: _Blocks) -> tf.Tensor:
        return tf.gather(table.read_value(), blocks.at)

    def _rows_of(self, blocks: _Blocks) -> tf.Tensor:
        return tf.bitcast(self._read(self._rows, blocks), tf.int32)

    def _impacts_of(self, blocks: _Blocks) -> tf.Tensor:
        return tf.bitcast(self._read(self._impacts, blocks), tf.float32)

    def _dense(self, blocks: _Blocks, tables: list[tf.Tensor]) -> list[tf.Tensor]:
        """Of each table what stands in the blocks, summed by query and item row."""
        rows = self._rows_of(blocks)
        if self.form == "segment":
            return self._segment_sums(blocks, rows, tables)
        found = [self._ragged_sums(blocks, rows, self.width, each) for each in tables]
        return [tf.ensure_shape(each, [None, self.width]) for each in found]

    def _segment_sums(
        self, blocks: _Blocks, rows: tf.Tensor, tables: list[tf.Tensor]
    ) -> list[tf.Tensor]:
        size = self.width * (tf.size(blocks.splits, tf.int64) - 1)
        places = tf.range(tf.size(blocks.at, tf.int64))
        owners = tf.searchsorted(blocks.splits, places, "right", tf.int64) - 1
        at = tf.cast(rows, tf.int64) + (owners * self.width)[:, None, None]
        at = tf.reshape(at, [-1, BLOCK])
        found = []
        for each in tables:
            # int64 sums have no GPU kernel; no counter runs over into the upper half.
            is_code = each.dtype == tf.int64
            halves = tf.bitcast(each, tf.int32) if is_code else each
            ids = at if is_code else tf.reshape(at, tf.shape(each))
            summed = tf.math.unsorted_segment_sum(halves, ids, size)
            summed = tf.bitcast(summed, tf.int64) if is_code else summed
            found.append(tf.reshape(summed, [-1, self.width]))
        return found

    def _best_of_touched(
        self, blocks: _Blocks, impacts: tf.Tensor, k: int
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """`best` with a column for each item that some query's terms hold."""
        touched, columns = tf.unique(tf.reshape(self._rows_of(blocks), [-1]))
        touched = tf.concat([touched, [self.num_items] * k], axis=0)  # k at least
        sums = self._ragged_sums(blocks, columns, tf.size(touched), impacts)
        values, places = tf.math.top_k(sums, k)
        return values, self._held(values, tf.gather(touched, places))

    def _held(self, values: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """Rows; n where the value is 0."""
        # Filled first: broadcasting one number takes four times the time.
        none = tf.fill(tf.shape(rows), self.num_items)
        return tf.where(values > 0.0, rows, none)

    def _ragged_sums(
        self,
        blocks: _Blocks,
        columns: tf.Tensor,
        size: tf.Tensor | int,
        weights: tf.Tensor,
    ) -> tf.Tensor:
        """[B, size]: the weights of all postings, summed by query and column."""
        return tf.raw_ops.RaggedBincount(
            splits=blocks.splits * BLOCK,
            values=tf.reshape(columns, [-1]),
            size=size,
            weights=tf.reshape(weights, [-1]),
        )


def _words(values: npt.NDArray[np.generic], name: str) -> tf.Variable:
    """int64 of the same bytes: a GPU gathers neither uint32 nor, off the host, int32,
    and compression leaves what is no float as it is."""
    return tf.Variable(values.view(np.int64), trainable=False, name=name)
