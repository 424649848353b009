"""The candidate funnel inside the graph: sources, their union, and ranker features."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.config import ShopConfig
from core.config.funnel import FunnelConfig
from trainer.funnel import features as feature_blocks
from trainer.funnel import history_features
from trainer.funnel.candidates import (
    DEPTH,
    LOWEST,
    Candidates,
    allowed_rows,
    best_rows,
    unite,
)
from trainer.funnel.constants import (
    LINKED,
    RECENT,
    WEIGHED,
    TableConstants,
)
from trainer.funnel.history import History, canonical_history
from trainer.funnel.scores import (
    group_maxima,
    group_sums,
    neighbour_maxima,
    neighbour_sums,
    pick,
)
from trainer.funnel.sources import (
    BASKET,
    CF,
    CF_TREND,
    FACTORS,
    FORECAST,
    INTEREST,
    KNN,
    LATELY,
    OWN,
    POPULAR,
    SOURCES,
    TITLE,
    TOWER,
)
from trainer.funnel.tables import ItemTables
from trainer.moment import Moment

# Which source an item is said to come from where its places are alike.
PRECEDENCE = (
    OWN,
    CF,
    CF_TREND,
    LATELY,
    FORECAST,
    FACTORS,
    KNN,
    BASKET,
    INTEREST,
    TITLE,
)


class FunnelState(NamedTuple):
    """What `retrieve` and `features` both need of a batch; compute it once."""

    history: History
    slot_of: tf.Tensor  # [B * (n + 1)] int32: an item's slot in the next two; 0 = none
    sums: tf.Tensor  # [B, H + 1, K] sums over the history, by item
    maxima: tf.Tensor  # [B, H + 1, L]
    weights: dict[str, tf.Tensor]  # weighting -> [B, H]
    scores: tf.Tensor  # [B, S, n + 1] float32, > 0 where a personal source speaks
    best_values: tf.Tensor  # [B, S, D] float32, the D largest; 0 where there are fewer
    best_rows: tf.Tensor  # [B, S, D] int32; n where the source says no more
    extra: tf.Tensor  # [B, links + 1, n + 1]: strongest neighbours, title likeness


def _source_index(name: str) -> int:
    """Place in SOURCES; the windows `popular_14`, ... are one source."""
    return SOURCES.index(POPULAR if name.startswith(POPULAR) else name)


class CandidateFunnel(tf.Module):
    """Candidates and features for moments, from one set of item tables.

    Args:
      tables: as of the cut-off of the moments (the export's: T2).
      item_embeddings: [n, d] float32 of the retriever, or None: no tower source.
      config: sizes of the sources.
    """

    def __init__(
        self,
        tables: ItemTables,
        item_embeddings: npt.NDArray[np.float32] | None = None,
        config: FunnelConfig | None = None,
    ) -> None:
        super().__init__(name="candidate_funnel")
        self.config = config or FunnelConfig()
        self.tables = tables
        self.shop: ShopConfig = tables.shop
        self.visit_s = tables.config.visit_s
        self.num_items = tables.num_items
        self.target = self.shop.event_types.index(self.shop.target_event)
        self.constants = TableConstants(tables, item_embeddings, self.config)
        blocks = self._blocks(*self._example())
        self.feature_names = tuple(name for block in blocks for name in block.names)

    @property
    def num_features(self) -> int:
        """F."""
        return len(self.feature_names)

    def swap_tables(self, tables: ItemTables) -> None:
        """Takes the tables as of another cut-off of the same catalogue and settings.

        Graphs traced from this funnel go on with the new values.
        """
        other = TableConstants(tables, None, self.config)
        fresh = {v.name: v for v in other.variables}
        for variable in self.constants.variables:
            if variable.name in fresh:
                variable.assign(fresh[variable.name])
        self.tables = tables

    def state(self, moment: Moment) -> FunnelState:
        """Score rows and per-item history sums of a batch of moments."""
        history = canonical_history(
            moment,
            num_items=self.num_items,
            num_events=len(self.shop.event_types),
            target=self.target,
            visit_s=self.visit_s,
        )
        slot_of = history_features.item_slots(history, self.num_items)
        slots = pick(slot_of, history.rows, self.num_items + 1)
        size = tf.shape(slots)[1] + 1
        columns = history_features.history_columns(history, self.shop, self.config)
        sums = group_sums(columns[0], slots, size)
        flat = tf.reshape(sums, [-1, sums.shape[2]])
        weights = history_features.history_weights(
            history, pick(flat, slots, size), self.config
        )
        own = tf.reshape(history_features.own_scores(sums, self.config), [-1])
        everywhere = tf.reshape(slot_of, [-1, self.num_items + 1])
        scores, links = self._scores(history, weights)
        scores = tf.concat([*scores, pick(own, everywhere, size)[:, None]], axis=1)
        values, rows = best_rows(self._warm(scores))
        likeness = feature_blocks.title_likeness(history, self.constants, self.config)
        return FunnelState(
            history=history,
            slot_of=slot_of,
            sums=sums,
            maxima=group_maxima(columns[1], slots, size),
            weights=weights,
            scores=scores,
            best_values=tf.maximum(values, 0.0),
            best_rows=tf.where(values > 0, rows, self.num_items),
            extra=tf.concat([links, likeness[:, None]], axis=1),
        )

    def retrieve(
        self,
        moment: Moment,
        query_embeddings: tf.Tensor | None = None,
        allowed: tf.Tensor | None = None,
        *,
        state: FunnelState | None = None,
    ) -> Candidates:
        """Up to `num_candidates` distinct items per moment.

        Args:
          query_embeddings: [B, d] float32 of the retriever; None: no tower source.
          allowed: [B, n] bool, what the page may show; None: everything.
          state: `self.state(moment)`, where the caller has it already.
        """
        state = state or self.state(moment)
        batch = tf.shape(state.best_rows)[0]
        shared = tf.broadcast_to(
            self.constants.shared_rows, [batch, *self.constants.shared_rows.shape]
        )
        names = [*self.constants.sources, *self.constants.shared_names]
        lists = [state.best_rows, shared]
        tower = None
        if query_embeddings is not None:
            tower = self.constants.tower_scores(query_embeddings)[:, None]
            values, rows = best_rows(tower)
            lists.append(tf.where(values > LOWEST / 2, rows, self.num_items))
            names.append(TOWER)
        rows = tf.concat(lists, axis=1)
        depth = min(DEPTH, self.num_items + 1)
        sizes = [min(self._size(name), depth) for name in names]
        if allowed is not None:
            rows = allowed_rows(
                rows, sizes, allowed, lambda: self._all_scores(state, tower)
            )
        order = (*PRECEDENCE, *self.constants.shared_names, TOWER)
        return unite(
            rows,
            sizes,
            [_source_index(name) for name in names],
            num_items=self.num_items,
            limit=self.config.num_candidates,
            precedence=[order.index(name) for name in names],
        )

    def features(
        self, moment: Moment, rows: tf.Tensor, *, state: FunnelState | None = None
    ) -> tf.Tensor:
        """[B, C, F] float32 features of catalogue rows [B, C] int32 (n pads)."""
        state = state or self.state(moment)
        blocks = self._blocks(rows, state)
        return tf.concat([block.values for block in blocks], axis=-1)

    def _scores(
        self, history: History, weights: dict[str, tf.Tensor]
    ) -> tuple[list[tf.Tensor], tf.Tensor]:
        """Score rows in the order of `constants.sources` but own; links.

        A distinct item counts once, whatever its visits.
        """
        width = self.num_items + 1
        # Target events come first, and all but the weighed group look at them alone.
        slots = tf.reduce_max(
            tf.math.count_nonzero(history.events == self.target, axis=1)
        )
        scores = []
        for kind, group in self.constants.groups.items():
            end = tf.shape(history.rows)[1] if kind == WEIGHED else slots
            rows = history.rows[:, :end]
            ids, values = tf.gather(group.ids, rows), tf.gather(group.values, rows)
            weight = weights[kind][:, :end, None]
            scores.append(
                neighbour_sums(
                    values * weight, ids, sources=len(group.sources), width=width
                )
            )
            if kind == RECENT:
                size = sum(group.sizes[: len(LINKED)])
                links = neighbour_maxima(
                    values[..., :size] * history.target[:, :end, None],
                    ids[..., :size],
                    sources=len(LINKED),
                    width=width,
                )
                factors = tf.gather(self.constants.factors_in, rows)
                person = tf.matmul(weight, factors, transpose_a=True)
        by_cf = scores[0][:, :1]  # the first source of the first group
        scores.append(by_cf * self.constants.trend)
        factors_out = self.constants.factors_out
        scores.append(tf.matmul(person[:, 0], factors_out)[:, None])
        return scores, links

    def _all_scores(self, state: FunnelState, tower: tf.Tensor | None) -> tf.Tensor:
        """[B, sources, n + 1] of every source; LOWEST where one says nothing."""
        personal = self._warm(state.scores)
        personal = tf.where(personal > 0, personal, LOWEST)
        shared = self.constants.shared_scores
        shared = tf.broadcast_to(shared, [tf.shape(personal)[0], *shared.shape])
        parts = [personal, shared] + ([] if tower is None else [tower])
        return tf.concat(parts, axis=1)

    def _size(self, name: str) -> int:
        """How many candidates a source may give."""
        return int(getattr(self.config, SOURCES[_source_index(name)]))

    def _warm(self, scores: tf.Tensor) -> tf.Tensor:
        """Without items that nobody has touched, if the settings leave them out."""
        warm = self.constants.warm
        return scores if warm is None else scores * warm

    def _blocks(
        self, rows: tf.Tensor, state: FunnelState
    ) -> list[feature_blocks.Block]:
        return feature_blocks.candidate_blocks(
            rows, state, self.constants, self.shop, self.config
        )

    def _example(self) -> tuple[tf.Tensor, FunnelState]:
        """A moment without history: names the features without a graph."""
        moment = Moment(
            user_ids=tf.constant([""]),
            timestamps=tf.constant([self.constants.as_of], tf.int64),
            history_rows=tf.fill([1, 1], self.num_items),
            history_events=tf.fill([1, 1], -1),
            history_timestamps=tf.zeros([1, 1], tf.int64),
            context={},
        )
        return tf.zeros([1, 1], tf.int32), self.state(moment)
