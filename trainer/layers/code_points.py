"""Each code point of a text into those that it becomes, by a table in pages."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import tensorflow as tf

IntArray = npt.NDArray[np.int32]

_BITS = 5
_PAGE = 1 << _BITS
# Stands for a space in pages whose other values count from their own code point.
_SPACE = 0x200000


class CodePointTable(tf.Module):
    """A map from one code point to a few, as small as what it says.

    Most code points stay as they are, or stand between spaces: with values relative to
    the code point whole scripts share one page, and a table of 196,608 entries takes a
    tenth of the numbers that it has written out.

    ```
    table = CodePointTable(*folding_table())
    points, splits = table(tf.constant([ord("É"), ord("ß")]))  # e | s s
    ```
    """

    def __init__(self, splits: IntArray, values: IntArray) -> None:
        """
        Args:
          splits: [T + 1] int32; what code point p becomes lies at splits[p : p + 2].
          values: [V] int32 code points.
        """
        super().__init__(name="code_point_table")
        self.size = len(splits) - 1
        pages: dict[tuple[bytes, bytes], int] = {}
        page_of, starts, relative = [], [], [np.zeros(0, np.int32)]
        end = 0
        for first in range(0, self.size, _PAGE):
            bounds = splits[first : first + _PAGE + 1]
            found = _relative(bounds, values[bounds[0] : bounds[-1]], first)
            key = ((bounds - bounds[0]).tobytes(), found.tobytes())
            if key not in pages:
                pages[key] = len(pages) * (_PAGE + 1)
                padded = np.pad(bounds, (0, _PAGE + 1 - len(bounds)), mode="edge")
                starts.append(padded - bounds[0] + end)
                relative.append(found)
                end += len(found)
            page_of.append(pages[key])
        self._page_of = tf.constant(page_of, tf.int32)
        self._starts = tf.constant(np.concatenate(starts), tf.int32)
        self._relative = tf.constant(np.concatenate(relative), tf.int32)

    def __call__(self, points: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """What code points become: values, and row splits [N + 1], both int32.

        Args:
          points: [N] int32; those beyond the table count as a space.
        """
        points = tf.where(points < self.size, points, ord(" "))
        page = tf.gather(self._page_of, tf.bitwise.right_shift(points, _BITS))
        at = page + tf.bitwise.bitwise_and(points, _PAGE - 1)
        # Not `RaggedGather`, which checks all splits of a table on every call.
        places = tf.raw_ops.RaggedRange(
            starts=tf.gather(self._starts, at),
            limits=tf.gather(self._starts, at + 1),
            deltas=1,
            Tsplits=tf.int32,
        )
        splits = places.rt_nested_splits
        relative = tf.gather(self._relative, places.rt_dense_values)
        numbers = tf.range(tf.size(relative))
        owner = tf.searchsorted(splits, numbers, side="right") - 1
        moved = relative + tf.gather(points, owner)
        return tf.where(relative == _SPACE, ord(" "), moved), splits


def _relative(bounds: IntArray, values: IntArray, first: int) -> IntArray:
    """Values less their own code point, or `_SPACE`."""
    own = np.repeat(first + np.arange(len(bounds) - 1), np.diff(bounds))
    return np.where(values == ord(" "), _SPACE, values - own).astype(np.int32)
