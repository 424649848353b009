"""The candidate funnel inside the graph: signals, the first stage, ranker features."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.config import ShopConfig
from core.config.funnel import FunnelConfig
from trainer.funnel import features as feature_blocks
from trainer.funnel import history_features
from trainer.funnel.candidates import best_candidates
from trainer.funnel.constants import RECENT, TableConstants
from trainer.funnel.fusion import Facets, Fusion, FusionWeights
from trainer.funnel.history import History, canonical_history
from trainer.funnel.integer_tables import integers
from trainer.funnel.scores import (
    group_maxima,
    group_sums,
    pick,
    pick_rows,
    scatter_rows,
    weighted_sum,
)
from trainer.funnel.sources import OWN, POPULAR, SOURCES, TOWER
from trainer.funnel.tables import ItemTables
from trainer.moment import Moment

# How much a shared or tower score must exceed a personal one to be named as the reason.
_IMPERSONAL = 0.5


class FunnelState(NamedTuple):
    """What `retrieve` and `features` both need of a batch; compute it once."""

    history: History
    slot_of: tf.Tensor  # [B * (n + 1)] int32: an item's slot in the next two; 0 = none
    sums: tf.Tensor  # [B, H + 1, K] sums over the history, by item
    maxima: tf.Tensor  # [B, H + 1, L]
    weights: dict[str, tf.Tensor]  # weighting -> [B, H]
    # [B, S_i, n + 1] float32 >= 0, together the sources and the title likeness.
    signals: tuple[tf.Tensor, ...]
    best: tf.Tensor  # [B, S] the scale of each signal; 0 where a source is silent
    taken: tf.Tensor  # [B, V] share of the history with each facet's value
    near: tf.Tensor | None  # [B, n + 1] the tower's cosine, at least 0; None: no tower

    @property
    def own(self) -> tf.Tensor:
        """[B, n + 1] how much the person's own history speaks for each item."""
        return self.signals[-2][:, -1]


def _flags(sources: tuple[str, ...]) -> tf.Tensor:
    """[S, 1] bool: which source is the person's own history."""
    return tf.constant([[name == OWN] for name in sources])


def _source_index(name: str) -> int:
    """Place in SOURCES; the windows `popular_14`, ... are one source."""
    return SOURCES.index(POPULAR if name.startswith(POPULAR) else name)


class CandidateFunnel(tf.Module):
    """Candidates and features for moments, from one set of item tables.

    Args:
      tables: as of the cut-off of the moments (the export's: T2).
      item_embeddings: [n, d] float32 of the retriever, or None: no tower source.
      config: size, first stage, scales.
      fusion: the first stage's weights; None: equal ones.
      static_shapes: looks up all slots of a history, not those that count alone: the
        same scores from tensors whose lengths do not depend on values. XLA needs that:
        compiled with a `tf.where`, pages came out wrong (docs/gpu.md).
    """

    def __init__(
        self,
        tables: ItemTables,
        item_embeddings: npt.NDArray[np.float32] | None = None,
        config: FunnelConfig | None = None,
        fusion: FusionWeights | None = None,
        *,
        static_shapes: bool = False,
    ) -> None:
        super().__init__(name="candidate_funnel")
        self.config = config or FunnelConfig()
        self.static_shapes = static_shapes
        self.tables = tables
        self.shop: ShopConfig = tables.shop
        self.visit_s = tables.config.visit_s
        self.num_items = tables.num_items
        self.target = self.shop.event_types.index(self.shop.target_event)
        self.constants = TableConstants(tables, item_embeddings, self.config)
        names = (*self.constants.signal_names, *self.constants.shared_names)
        self.fusion = Fusion(FusionWeights.unfitted(names))
        # [n + 1] what is the same for everyone: popularity, and what cannot be shown.
        self.prior = tf.Variable(
            tf.zeros([self.num_items + 1]), trainable=False, name="prior_scores"
        )
        self.assign_fusion(fusion or self.fusion.weights())
        rows, state = self._example()
        blocks = self._blocks(rows, state)
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
        self.assign_fusion(self.fusion.weights())

    def assign_fusion(self, weights: FusionWeights) -> None:
        """Takes other weights of the first stage."""
        self.fusion.assign(weights)
        shared = self.fusion.of_everyone(self.constants.shared)
        self.prior.assign(shared + self.constants.silence)

    def state(
        self, moment: Moment, query_embeddings: tf.Tensor | None = None
    ) -> FunnelState:
        """Score rows and per-item history sums of a batch of moments.

        Args:
          query_embeddings: [B, d] float32 of the retriever; None: without the tower.
        """
        history = canonical_history(
            moment,
            num_items=self.num_items,
            num_events=len(self.shop.event_types),
            target=self.target,
            visit_s=self.visit_s,
        )
        slot_of = history_features.item_slots(history, self.num_items)
        slots = history_features.slots_at(slot_of, history.rows, self.num_items)
        size = tf.shape(slots)[1] + 1
        columns = history_features.history_columns(history, self.shop, self.config)
        sums = group_sums(columns[0], slots, size)
        flat = tf.reshape(sums, [-1, sums.shape[2]])
        weights = history_features.history_weights(
            history, pick(flat, slots, size), self.config
        )
        own = history_features.own_scores(columns[0], self.config)
        scattered = self._scattered(history, weights, own)
        likeness = feature_blocks.title_likeness(history, self.constants, self.config)
        dense = [*self._dense(history, weights, scattered[0]), likeness]
        signals = (*scattered, tf.stack(dense, axis=1))
        best = [tf.reduce_max(part, axis=2) for part in signals]
        # A cosine is on one scale for everyone already.
        cosines = tf.ones_like(best[-1][:, -1:])
        best[-1] = tf.concat([best[-1][:, :-1], cosines], axis=1)
        return FunnelState(
            history=history,
            slot_of=slot_of,
            sums=sums,
            maxima=group_maxima(columns[1], slots, size),
            weights=weights,
            signals=signals,
            best=tf.concat(best, axis=1),
            taken=feature_blocks.facet_shares(history, self.constants, self.config),
            near=None
            if query_embeddings is None
            else tf.nn.relu(self.constants.tower_scores(query_embeddings)),
        )

    def scores(self, state: FunnelState) -> tf.Tensor:
        """[B, n + 1] float32 first-stage scores; very low for what cannot be shown."""
        constants = self.constants
        facets = Facets(
            state.taken,
            integers(constants.facets),
            integers(constants.facets_of),
            constants.facet_sizes,
        )
        fused = self.fusion(state.signals, state.best, facets) + self.prior
        if state.near is not None and self.config.tower_weight:
            fused += self.config.tower_weight * state.near
        return fused

    def retrieve(
        self,
        moment: Moment,
        query_embeddings: tf.Tensor | None = None,
        allowed: tf.Tensor | None = None,
        *,
        state: FunnelState | None = None,
    ) -> tf.Tensor:
        """[B, C] int32: up to `num_candidates` distinct rows, best first; n pads.

        Args:
          query_embeddings: [B, d] float32 of the retriever; None: without the tower.
          allowed: [B, n] bool, what the page may show; None: everything.
          state: `self.state(moment, query_embeddings)`, where it is at hand.
        """
        state = state or self.state(moment, query_embeddings)
        scores = self.scores(state)
        return best_candidates(scores, self.config.num_candidates, allowed)

    def features(
        self,
        moment: Moment,
        rows: tf.Tensor,
        *,
        state: FunnelState | None = None,
    ) -> tf.Tensor:
        """[B, C, F] float32 features of catalogue rows [B, C] int32 (n pads).

        Each row's features are its own, whatever else is asked about.
        """
        blocks = self._blocks(rows, state or self.state(moment))
        return tf.concat([block.values for block in blocks], axis=-1)

    def origins(self, rows: tf.Tensor, state: FunnelState) -> tf.Tensor:
        """[B, C] int32 index into SOURCES: what speaks for an item of rows most.

        What the person bought before is that; else the personal source in which the
        item stands highest, unless popularity or the tower speak for it far louder.
        """
        count = len(self.constants.sources)
        personal = tf.math.divide_no_nan(
            feature_blocks.picked(state.signals, rows)[:, :count],
            state.best[:, :count, None],
        )
        shared = tf.gather(self.constants.shared, rows, axis=1)
        parts = [
            personal + 2.0 * tf.cast(_flags(self.constants.sources), tf.float32),
            tf.transpose(shared, [1, 0, 2]) * _IMPERSONAL,
        ]
        parts[0] = tf.where(personal > 0, parts[0], 0.0)
        names = [*self.constants.sources, *self.constants.shared_names]
        if state.near is not None:
            near = pick_rows(state.near[:, None], rows)
            parts.append(near * _IMPERSONAL)
            names.append(TOWER)
        best = tf.argmax(tf.concat(parts, axis=1), axis=1, output_type=tf.int32)
        return tf.gather([_source_index(name) for name in names], best)

    def _scattered(
        self, history: History, weights: dict[str, tf.Tensor], own: tf.Tensor
    ) -> list[tf.Tensor]:
        """[B, S_i, n + 1] score rows of each group's sources, behind the last ones OWN.

        A distinct item counts once, whatever its visits. One scatter for all groups
        would be slower: a person's rows then leave the processor's cache.
        """
        width, batch = self.num_items + 1, tf.shape(history.rows)[0]
        groups = list(self.constants.groups.items())
        scattered = []
        for kind, group in groups:
            last = kind == groups[-1][0]
            sources = len(group.sources) + last
            place, rows = history_features.slots_that_count(
                history, kind, self.target, static_shapes=self.static_shapes
            )
            weight = tf.gather(tf.reshape(weights[kind], [-1]), place)[:, None]
            start = place // tf.shape(history.rows)[1] * (sources * width)
            ids = integers(tf.gather(group.ids, rows)) + start[:, None]
            parts = [(ids, tf.gather(group.values, rows) * weight)]
            if last:
                starts = tf.range(batch)[:, None] * (sources * width)
                parts.append((history.rows + starts + (sources - 1) * width, own))
            scattered.append(
                scatter_rows(parts, batch=batch, sources=sources, width=width)
            )
        return scattered

    def _dense(
        self, history: History, weights: dict[str, tf.Tensor], first: tf.Tensor
    ) -> list[tf.Tensor]:
        """[B, n + 1] each: the sources behind OWN."""
        factors = tf.gather(self.constants.factors_in, history.rows)
        person = weighted_sum(weights[RECENT], factors)
        by_cf = first[:, 0]  # the first source of the first group
        return [
            by_cf * self.constants.trend,
            tf.nn.relu(tf.matmul(person, self.constants.factors_out)),
        ]

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
