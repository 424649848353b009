"""Sums over the postings of a query's terms."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer.funnel.candidates import top_rows
from trainer.one_op import one_op

Form = Literal["ragged", "segment"]
# Postings are copied by the block: one by one they take twice the time, and more than
# 16 would fill the tables of rare terms with pads.
BLOCK = 16
# Of two-stage top-k; widths are a multiple of it, so that there is nothing to pad.
CHUNKS = 32
# Up to so many blocks per query, `best` sorts what they hold, not the catalogue.
_FEW_BLOCKS = 8
# More blocks than one query has: 64 terms of 2^32 items.
_MANY_BLOCKS = 2**40

_Page = tuple[tf.Tensor, tf.Tensor]  # values and item rows, [B, k]


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
        """Ids from V on, V = len(splits) - 1, are terms without postings (three)."""
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

        starts = np.append(starts, [starts[-1]] * 3)
        self._starts = _words(starts[:-1], "starts")
        self._limits = _words(starts[1:], "limits")
        self._rows = _words(blocks(rows.astype(np.int32), num_items), "rows")
        self._impacts = _words(blocks(impacts.astype(np.float32), 0), "impacts")
        self._codes = _words(blocks(codes, 0), "codes")

    def scores(self, terms: tf.Tensor) -> tf.Tensor:
        """[B, width] float32: each item's summed impacts of terms [B, T] int32."""
        return self._scores_of(self._blocks(terms))

    def sums(self, terms: tf.Tensor) -> Sums:
        """Impacts and codes, summed over terms [B, T] int32."""
        blocks = self._blocks(terms)
        codes = self._read(self._codes, blocks)
        return Sums(*self._dense(blocks, [self._impacts_of(blocks), codes]))

    def best(self, terms: tf.Tensor, k: int) -> _Page:
        """The k largest sums of impacts, descending, and their item rows.

        Args:
          terms: [B, T] int32.
          k: static, at most n.

        Returns:
          [B, k] float32 and [B, k] int32; where fewer than k match, 0 and n.
        """
        if self.form == "segment":
            return self.best_of_rows(self.scores(terms), k)
        at, ends = self._numbered(terms)

        def of_few() -> _Page:
            # Its sums are above 0, but for the pads'.
            return self._best_of_touched(_of_one(at), k)

        def of_one() -> _Page:
            return self.best_of_rows(self._scores_of(_of_one(at)), k)

        def of_batch() -> _Page:
            blocks = _Blocks(at, _by_query(ends, terms))
            few = tf.size(at) <= _FEW_BLOCKS * tf.shape(terms)[0]
            found: _Page = tf.cond(
                few,
                lambda: self._held(*self._best_of_touched(blocks, k)),
                lambda: self.best_of_rows(self._scores_of(blocks), k),
            )
            return found

        # One branch for two questions, since each costs one query a tenth of its time.
        is_batch = tf.cast(tf.shape(terms)[0] != 1, tf.int64)
        branch = tf.raw_ops.Bucketize(
            input=tf.size(at, tf.int64) + is_batch * _MANY_BLOCKS,
            boundaries=[_FEW_BLOCKS + 0.5, _MANY_BLOCKS],
        )
        with one_op():
            page: _Page = tf.switch_case(branch, [of_few, of_one, of_batch])
        return page

    def best_of_rows(self, scores: tf.Tensor, k: int) -> _Page:
        """The same of dense rows [B, width] of which the columns from n on are 0."""
        return self._held(*top_rows(scores, k, CHUNKS if k <= 32 else CHUNKS // 2))

    def _blocks(self, terms: tf.Tensor) -> _Blocks:
        at, ends = self._numbered(terms)
        return _Blocks(at, _by_query(ends, terms))

    def _numbered(self, terms: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Block numbers, and where those of each of all terms begin: [B * T + 1]."""
        flat = tf.reshape(terms, [-1])
        # `read_value` throughout: a variable that `tf.gather` reads by its handle is
        # copied whole on every other read from then on.
        starts = tf.gather(self._starts.read_value(), flat)
        limits = tf.gather(self._limits.read_value(), flat)
        if self.form == "ragged":
            found = tf.raw_ops.RaggedRange(
                starts=starts, limits=limits, deltas=tf.constant(1, tf.int64)
            )
            return found.rt_dense_values, found.rt_nested_splits
        ends = tf.concat([[0], tf.cumsum(limits - starts)], axis=0)
        places = tf.range(ends[-1])
        slot = tf.searchsorted(ends[1:], places, side="right", out_type=tf.int64)
        return places + tf.gather(limits - ends[1:], slot), ends

    def _read(self, table: tf.Variable, blocks: _Blocks) -> tf.Tensor:
        return tf.gather(table.read_value(), blocks.at)

    def _rows_of(self, blocks: _Blocks) -> tf.Tensor:
        return tf.bitcast(self._read(self._rows, blocks), tf.int32)

    def _impacts_of(self, blocks: _Blocks) -> tf.Tensor:
        return tf.bitcast(self._read(self._impacts, blocks), tf.float32)

    def _scores_of(self, blocks: _Blocks) -> tf.Tensor:
        return self._dense(blocks, [self._impacts_of(blocks)])[0]

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

    def _best_of_touched(self, blocks: _Blocks, k: int) -> _Page:
        """`best` with a column for each item that some query's terms hold.

        In a batch a row whose value is 0 may be of another query.
        """
        touched, columns = tf.unique(tf.reshape(self._rows_of(blocks), [-1]))
        touched = tf.concat([touched, [self.num_items] * k], axis=0)  # k at least
        impacts = self._impacts_of(blocks)
        sums = self._ragged_sums(blocks, columns, tf.size(touched), impacts)
        values, places = tf.math.top_k(sums, k)
        return values, tf.gather(touched, places)

    def _held(self, values: tf.Tensor, rows: tf.Tensor) -> _Page:
        """Values and rows; n where the value is 0."""
        # Not `tf.where`, which prepares to broadcast even where there is no need.
        none = tf.fill(tf.shape(rows), self.num_items)
        return values, tf.raw_ops.Select(condition=values > 0.0, x=rows, y=none)

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


def _of_one(at: tf.Tensor) -> _Blocks:
    """All blocks are one query's."""
    return _Blocks(at, tf.stack([0, tf.size(at, tf.int64)]))


def _by_query(ends: tf.Tensor, terms: tf.Tensor) -> tf.Tensor:
    """[B + 1]: of where terms' blocks begin where queries' do."""
    batch, terms_each = tf.shape(terms)[0], tf.shape(terms)[1]
    return tf.gather(ends, tf.range(batch + 1) * terms_each)


def _words(values: npt.NDArray[np.generic], name: str) -> tf.Variable:
    """int64 of the same bytes: a GPU gathers neither uint32 nor, off the host, int32,
    and compression leaves what is no float as it is."""
    return tf.Variable(values.view(np.int64), trainable=False, name=name)
