"""Items like one item: bought by the same people, near in the tower, alike in title."""

from __future__ import annotations

import tensorflow as tf

from core import signatures
from trainer.export.pages import NOT_SHOWN
from trainer.funnel.candidates import top_rows
from trainer.funnel.constants import RECENT, TableConstants
from trainer.funnel.integer_tables import integers
from trainer.funnel.sources import KNN
from trainer.funnel.tables import ItemTables

# The window whose buyers stand in for an unknown item.
_POPULAR_DAYS = 30


class SimilarItems(tf.Module):
    """Scores the whole catalogue against one item per request."""

    def __init__(
        self,
        constants: TableConstants,
        tables: ItemTables,
        *,
        weights: tuple[float, ...],
    ) -> None:
        """
        Args:
          constants: the funnel's neighbours, title vectors and tower; shared with it.
          tables: popularity.
          weights: of co-occurrence, tower cosine and title cosine.
        """
        super().__init__(name="similar_items")
        self._num_items = tables.num_items
        self._weights = weights
        self._constants = constants
        days = min(tables.popularity, key=lambda d: abs(d - _POPULAR_DAYS))
        buyers = tf.constant(tables.popularity[days], tf.float32)
        self._popularity = buyers / tf.maximum(tf.reduce_max(buyers), 1.0)

    def __call__(
        self, rows: tf.Tensor, allowed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The best MAX_K rows and their scores, best first.

        Args:
          rows: [B] int32 catalogue rows; num_items for an id that is not known.
          allowed: [B, n] bool, which items may be shown.

        Returns:
          [B, c] int32 rows, num_items where nothing is left, and [B, c] float32 scores.
        """
        known = rows < self._num_items
        safe = tf.where(known, rows, 0)
        scores = tf.where(known[:, tf.newaxis], self._scores(safe), self._popularity)
        itself = tf.range(self._num_items) == rows[:, tf.newaxis]
        scores = tf.where(allowed & ~itself, scores, NOT_SHOWN)
        best, picks = top_rows(scores, signatures.MAX_K)
        return tf.where(best > NOT_SHOWN / 2, picks, self._num_items), best

    def _scores(self, rows: tf.Tensor) -> tf.Tensor:
        together, tower, title = self._weights
        constants, n = self._constants, self._num_items
        scores = together * self._cooccurrence_row(rows)
        vectors = constants.tower_vectors(rows)
        scores += tower * constants.tower_scores(vectors)[:, :n]
        titles = tf.gather(constants.titles.read_value(), rows)
        likeness = tf.matmul(titles, constants.titles, transpose_b=True)
        return scores + title * likeness[:, :n]

    def _cooccurrence_row(self, rows: tf.Tensor) -> tf.Tensor:
        """[B, n] float32: the item's neighbour scores spread over the catalogue."""
        width = self._num_items + 1  # one column for the pads
        batch_size = tf.shape(rows)[0]
        group = self._constants.groups[RECENT]
        # Ids of the first source are catalogue rows as they are.
        size = group.sizes[group.sources.index(KNN)]
        flat = integers(tf.gather(group.ids, rows)[:, :size])
        flat += width * tf.range(batch_size)[:, tf.newaxis]
        scores = tf.gather(group.values, rows)[:, :size]
        dense = tf.math.unsorted_segment_sum(
            scores, flat, num_segments=batch_size * width
        )
        return tf.reshape(dense, [batch_size, width])[:, :-1]
