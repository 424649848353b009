"""The items that a bundle can show: ids, rows and what the filters look at."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import tensorflow as tf

from core import features
from core.text.displayed import category_levels
from trainer.data.columns import texts


def category_prefixes(path: str) -> list[str]:
    """Every prefix of a category path: `a > b` gives `a`, `a > b`; '' gives none."""
    levels = category_levels(path)
    return [
        features.CATEGORY_SEPARATOR.join(levels[: depth + 1])
        for depth in range(len(levels))
    ]


class Catalogue(tf.Module):
    """Ids to rows and back, and the columns that filters read.

    Rows follow the `items` artifact; row `num_items` stands for padding and for ids
    that the catalogue does not hold.
    """

    def __init__(self, items: pa.Table) -> None:
        """Builds the tables.

        Args:
          items: the cleaned `items` table, n rows.
        """
        super().__init__(name="catalogue")
        ids = [str(v) for v in items.column(features.ITEM_ID).to_pylist()]
        self.num_items = len(ids)
        self._rows = _string_table(ids, default=self.num_items)
        self._ids = tf.constant([*ids, ""], tf.string)
        prices = _floats(items, features.PRICE, default=np.nan)
        unpriced = np.isnan(prices)
        # An item without a price is below every lower limit and above every upper one.
        self.least_prices = tf.constant(np.where(unpriced, -np.inf, prices))
        self.most_prices = tf.constant(np.where(unpriced, np.inf, prices))
        self.in_stock = tf.constant(_floats(items, features.IN_STOCK, default=1.0) > 0)
        self._build_categories(texts(items, features.CATEGORY).tolist())

    def _build_categories(self, paths: list[str]) -> None:
        prefixes = [category_prefixes(path) for path in paths]
        known = sorted({prefix for each in prefixes for prefix in each})
        number = {prefix: i for i, prefix in enumerate(known)}
        depth = max((len(each) for each in prefixes), default=0) or 1
        # The last line is of items without a category.
        table = np.full((len(known) + 1, depth), -1, np.int32)
        for row, path in enumerate(known):
            above = category_prefixes(path)
            table[row, : len(above)] = [number[prefix] for prefix in above]
        # -2 for a category that no item has: it matches nothing, not the pad -1.
        self._prefix_numbers = _string_table(known, default=-2)
        self.category_prefixes = tf.constant(table)  # [K, depth]
        leaf = np.array([number[each[-1]] if each else -1 for each in prefixes])
        of_items = np.where(leaf < 0, len(known), leaf).astype(np.int32)
        self.category_of = tf.constant(of_items)  # [n] line of `category_prefixes`
        self.leaf_categories = tf.constant(np.append(leaf, -1).astype(np.int32))

    def rows(self, item_ids: tf.Tensor) -> tf.Tensor:
        """Catalogue rows of ids of any shape, int32; `num_items` where unknown."""
        return self._rows.lookup(item_ids)

    def ids(self, rows: tf.Tensor) -> tf.Tensor:
        """Item ids of rows of any shape, string; '' for `num_items`."""
        return tf.gather(self._ids, rows)

    def prefix_numbers(self, categories: tf.Tensor) -> tf.Tensor:
        """Numbers of category prefixes, int32; -2 where no item has the category."""
        return self._prefix_numbers.lookup(categories)


def _string_table(keys: list[str], *, default: int) -> tf.lookup.StaticHashTable:
    # A table needs a key; this one cannot arrive in a request (not valid UTF-8).
    safe = [key.encode() for key in keys] or [b"\xff"]
    initializer = tf.lookup.KeyValueTensorInitializer(
        tf.constant(safe, tf.string), tf.range(len(safe), dtype=tf.int32)
    )
    return tf.lookup.StaticHashTable(initializer, default_value=default)


def _floats(items: pa.Table, name: str, *, default: float) -> np.ndarray:
    if name not in items.column_names:
        return np.full(items.num_rows, default, np.float32)
    values = items.column(name).to_pylist()
    return np.array([default if v is None else v for v in values], np.float32)
