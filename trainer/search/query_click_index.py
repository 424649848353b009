"""Click statistics of a query's items, looked up inside the graph."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer.funnel.integer_tables import integer_variable, integers
from trainer.search.fingerprints import END, find, fingerprints, fingerprints_of
from trainer.search.query_clicks import QueryClicks


class QueryClickIndex(tf.Module):
    """Tables of one cut-off as variables; core ops only, so it loads anywhere.

    Args:
      tables: as of the cut-off of the moments (the export's: T2).
    """

    def __init__(self, tables: QueryClicks) -> None:
        super().__init__(name="query_click_index")
        self.num_items = tables.num_items
        self._variables = {
            name: _variable(value, f"query_{name}")
            for name, value in _arrays(tables).items()
        }

    def swap(self, tables: QueryClicks) -> None:
        """Takes the tables as of another cut-off of the same catalogue.

        Graphs traced from this index go on with the new values, however many.

        Raises:
          ValueError: the catalogue has another size.
        """
        if tables.num_items != self.num_items:
            raise ValueError(
                f"`tables.num_items` must be {self.num_items}, as the index was built. "
                f"Received: {tables.num_items}. Build a new index."
            )
        for name, value in _arrays(tables).items():
            variable = self._variables[name]
            variable.assign(value.astype(variable.dtype.as_numpy_dtype))

    def of(self, queries: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """What was shown for each of the queries, [B] string by `joined_terms`.

        Returns:
          [B, M] int32 distinct catalogue rows, n pads; [B, M, 2] float32 click rate and
          log count, 0 of pads. M is the longest list's length, 0 where all are unknown.
        """
        number, is_known = find(
            self._variables["keys"].read_value(), fingerprints(queries)
        )
        splits = self._variables["splits"]
        starts = integers(tf.gather(splits, number))
        lengths = integers(tf.gather(splits, number + 1)) - starts
        lengths = tf.where(is_known, lengths, 0)
        places = tf.range(tf.reduce_max(tf.concat([lengths, [0]], axis=0)))
        real = places < lengths[:, None]
        entry = tf.where(real, starts[:, None] + places, 0)
        rows = integers(tf.gather(self._variables["rows"], entry))
        values = tf.gather(self._variables["values"], entry)  # [B, M, 2]
        rows = tf.where(real, rows, self.num_items)
        return rows, tf.where(real[..., None], values, 0.0)


def _variable(values: npt.NDArray[np.generic], name: str) -> tf.Variable:
    shape = [None, *values.shape[1:]]
    if values.dtype == np.int32:
        return integer_variable(values.astype(np.uint32), name, shape)
    return tf.Variable(values, trainable=False, name=name, shape=shape)


def _arrays(tables: QueryClicks) -> dict[str, npt.NDArray[np.generic]]:
    """Queries by fingerprint; the last one, of no query, owns nothing."""
    keys = fingerprints_of(tables.queries)
    order = np.argsort(keys, kind="stable")
    lengths = np.diff(tables.splits)[order]
    starts = tables.splits[:-1][order]
    splits = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    entry = np.arange(splits[-1]) + np.repeat(starts - splits[:-1], lengths)
    values = np.stack([tables.rates, tables.counts], axis=1)
    return {
        "keys": np.append(keys[order], END),
        "splits": np.append(splits, splits[-1]).astype(np.int32),
        "rows": tables.rows[entry].astype(np.int32),
        "values": values[entry].astype(np.float32),
    }
