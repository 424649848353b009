"""The candidate funnel inside the graph: signals, the first stage, ranker features."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.config import ShopConfig
from core.config.funnel import FunnelConfig
from trainer.funnel import features as feature_blocks
from trainer.funnel.candidates import best_candidates
from trainer.funnel.constants import TableConstants
from trainer.funnel.fusion import Facets, Fusion, FusionWeights
from trainer.funnel.integer_tables import integers
from trainer.funnel.links import score_rows
from trainer.funnel.origins import origins
from trainer.funnel.person import read_person
from trainer.funnel.state import FunnelState, Person
from trainer.funnel.tables import ItemTables
from trainer.moment import Moment


def scales(best: Iterable[tf.Tensor]) -> tf.Tensor:
    """[B, S] what each signal is a share of, from the best of each part [B, S_i]."""
    *parts, last = best
    # The title likeness, a cosine, is on one scale for everyone already.
    return tf.concat([*parts, last[:, :-1], tf.ones_like(last[:, -1:])], axis=1)


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

    def person(
        self, moment: Moment, query_embeddings: tf.Tensor | None = None
    ) -> Person:
        """What the histories of a batch of moments say."""
        return read_person(
            moment,
            query_embeddings,
            self.constants,
            self.shop,
            self.config,
            visit_s=self.visit_s,
        )

    def state(
        self,
        moment: Moment,
        query_embeddings: tf.Tensor | None = None,
        allowed: tf.Tensor | None = None,
    ) -> FunnelState:
        """What `retrieve`, `features` and `origins` need of a batch of moments.

        Args:
          query_embeddings: [B, d] float32 of the retriever; None: without the tower.
          allowed: [B, n] bool, what may be retrieved of it; None: everything. Signals
            and their scales do not depend on it.
        """
        del allowed  # every item is there
        person = self.person(moment, query_embeddings)
        scattered = score_rows(person, self.constants, static_shapes=self.static_shapes)
        signals = (*scattered, self._dense(person, scattered[0]))
        return FunnelState(
            person=person,
            signals=signals,
            best=scales(tf.reduce_max(part, axis=2) for part in signals),
            near=None
            if query_embeddings is None
            else tf.nn.relu(self.constants.tower_scores(query_embeddings)),
        )

    def at(self, state: FunnelState, rows: tf.Tensor) -> FunnelState:
        """The state with the signals of catalogue rows [B, C], whatever it had."""
        del rows  # every item is there
        return state

    def everywhere(self, state: FunnelState) -> tf.Tensor:
        """[B, n + 1] float32 scores of every item; very low for what cannot be shown.

        A `ShelfFunnel`'s leave out what needs an item's vectors.
        """
        return self.scores(state)

    def scores(self, state: FunnelState) -> tf.Tensor:
        """[B, W] float32 first-stage scores; very low for what cannot be shown."""
        fused = self._fused(state)
        if state.near is not None and self.config.tower_weight:
            fused += self.config.tower_weight * state.near
        return fused

    def facets(self, person: Person) -> Facets:
        """What the histories have of each facet, for `fusion`."""
        constants = self.constants
        return Facets(
            person.taken,
            integers(constants.facets),
            integers(constants.facets_of),
            constants.facet_sizes,
        )

    def shares(self, state: FunnelState) -> tuple[tf.Tensor, tf.Tensor]:
        """What `scores` weighs of the items weighed, in [0, 1], as `fusion` names it.

        Returns:
          [B, S, W] of the person; [P, W] or [B, P, W], the same for everyone.
        """
        constants = self.constants
        values = tf.gather(integers(constants.facets), integers(constants.facets_of))
        facets = tf.gather(state.person.taken, tf.transpose(values), axis=1)
        signals = tf.concat(state.signals, axis=1)
        shares = tf.math.divide_no_nan(signals, state.best[:, :, None])
        return tf.concat([shares, facets], axis=1), constants.shared

    def weighed(self, state: FunnelState) -> tf.Tensor | None:
        """[B, W] catalogue rows that a page chooses from; None: all, in order."""
        del state
        return None

    @property
    def num_weighed(self) -> int:
        """How many items a page chooses from."""
        return self.num_items

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
          state: of `self.state` with the same arguments, where it is at hand.
        """
        state = state or self.state(moment, query_embeddings, allowed)
        return self._best(state, allowed)

    def features(
        self,
        moment: Moment,
        rows: tf.Tensor,
        *,
        state: FunnelState | None = None,
    ) -> tf.Tensor:
        """[B, C, F] float32 features of catalogue rows [B, C] int32 (n pads).

        Each row's features are its own, whatever else is asked about.

        Args:
          state: one that the rows were retrieved of, or `at` these rows.
        """
        state = state or self.at(self.state(moment), rows)
        blocks = self._blocks(rows, state)
        return tf.concat([block.values for block in blocks], axis=-1)

    def origins(self, rows: tf.Tensor, state: FunnelState) -> tf.Tensor:
        """[B, C] int32 index into SOURCES: what speaks for an item of rows most."""
        return origins(rows, state, self.constants)

    def _best(self, state: FunnelState, allowed: tf.Tensor | None) -> tf.Tensor:
        """[B, C] int32: the candidates of a state."""
        scores = self.scores(state)
        return best_candidates(scores, self.config.num_candidates, allowed)

    def _fused(self, state: FunnelState) -> tf.Tensor:
        """[B, W] what the person and everyone say of the items, without the tower."""
        facets = self.facets(state.person)
        return self.fusion(state.signals, state.best, facets) + self.prior

    def _dense(self, person: Person, first: tf.Tensor) -> tf.Tensor:
        """[B, 3, n + 1]: the sources behind OWN and the title likeness.

        Args:
          first: [B, S_i, n + 1] score rows of the first group.
        """
        constants = self.constants
        by_cf = first[:, 0]  # the first source of the first group
        factors = tf.matmul(person.factors, constants.factors_out)
        likeness = tf.matmul(person.titles, constants.titles, transpose_b=True)
        dense = [by_cf * constants.trend, tf.nn.relu(factors), tf.nn.relu(likeness)]
        return tf.stack(dense, axis=1)

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
