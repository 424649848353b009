"""What a funnel knows of a batch of moments; computed once, read by all of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer.funnel.history import History
from trainer.funnel.scores import pick, pick_rows


class Person(NamedTuple):
    """What the histories say, before any other item is looked at."""

    history: History
    slot_of: tf.Tensor  # [B * (n + 1)] int32: an item's slot in the next two; 0 = none
    sums: tf.Tensor  # [B, H + 1, K] sums over the history, by item
    maxima: tf.Tensor  # [B, H + 1, L]
    weights: dict[str, tf.Tensor]  # weighting -> [B, H]
    own: tf.Tensor  # [B, H] how much each slot speaks for its item
    taken: tf.Tensor  # [B, V] share of the history with each facet's value
    factors: tf.Tensor  # [B, r] the person among the factors
    titles: tf.Tensor  # [B, t] mean title vector, norm 1 or 0
    query: tf.Tensor | None  # [B, d] of the retriever; None: without the tower


class Links(NamedTuple):
    """From items of histories to others, by lists of one kind."""

    items: tf.Tensor  # [V, N] int32 person * (n + 1) + catalogue row
    owners: tf.Tensor  # [V, 1] int32 place in the batch
    lines: npt.NDArray[np.int32]  # [N] whose list
    values: tf.Tensor  # [V, N] float32


class Reach(NamedTuple):
    """What histories link to, before it is summed for any item."""

    links: tuple[Links, ...]
    rough: tf.Tensor  # [B, n + 1] float32 scores of every item; LOWEST rules one out


class FunnelState(NamedTuple):
    """Signals of W items for each person: of all (W = n + 1), or of a few."""

    person: Person
    # [B, S_i, W] float32 >= 0, together the sources and the title likeness.
    signals: tuple[tf.Tensor, ...]
    best: tf.Tensor  # [B, S] the scale of each signal; 0 where a source is silent
    near: tf.Tensor | None  # [B, W] the tower's cosine, at least 0; None: no tower
    # Which items; None: every one, in the order of the catalogue.
    rows: tf.Tensor | None = None  # [B, W] int32 catalogue rows
    column_of: tf.Tensor | None = None  # [B * (n + 1)] int32 column, < 0: none of them
    reach: Reach | None = None

    def columns(self, rows: tf.Tensor, num_items: int) -> tf.Tensor:
        """[B, C] int32 columns of catalogue rows [B, C], which are among the W."""
        if self.column_of is None:
            return rows
        return tf.maximum(pick(self.column_of, rows, num_items + 1), 0)

    def picked(self, columns: tf.Tensor) -> tf.Tensor:
        """[B, S, C]: the signals at columns [B, C]."""
        return tf.concat([pick_rows(part, columns) for part in self.signals], axis=1)
