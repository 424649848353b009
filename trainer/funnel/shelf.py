"""The first stage of a large catalogue: signals of a shelf of items, not of all.

One rough number for each item says what stands on a person's shelf, and only that gets
the signals, each as exact as over the whole catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.config.funnel import FunnelConfig
from trainer.funnel import features as feature_blocks
from trainer.funnel.candidates import LOWEST, best_candidates
from trainer.funnel.funnel import CandidateFunnel, scales
from trainer.funnel.fusion import FusionWeights
from trainer.funnel.links import neighbour_links
from trainer.funnel.scores import products_at, segment_ids
from trainer.funnel.sources import OWN
from trainer.funnel.state import FunnelState, Links, Person, Reach
from trainer.funnel.tables import ItemTables
from trainer.moment import Moment

# A source that the first stage learned to distrust may still propose items.
_LEAST_WEIGHT = 0.1


class ShelfFunnel(CandidateFunnel):
    """As `CandidateFunnel`, for catalogues in which most items say nothing to a person.

    A shelf has a column for the pads, the head (the `head_size` roughly best items,
    which set the scale of every signal, whatever is asked for), and what is asked for:
    the `shelf_size` roughly best of those that may be shown, or given items.
    """

    def state(
        self,
        moment: Moment,
        query_embeddings: tf.Tensor | None = None,
        allowed: tf.Tensor | None = None,
    ) -> FunnelState:
        person = self.person(moment, query_embeddings)
        reach = self._reach(person)
        rough = reach.rough
        if allowed is not None:
            rough = tf.where(tf.pad(allowed, [[0, 0], [0, 1]]), rough, LOWEST)
        if query_embeddings is not None and self.config.tower_weight:
            rough = self._with_nearest(rough, query_embeddings)
        rows = best_candidates(rough, self.config.shelf_size)
        return self._put(person, reach, rows)

    def at(self, state: FunnelState, rows: tf.Tensor) -> FunnelState:
        assert state.reach is not None  # `state` made it
        return self._put(state.person, state.reach, rows)

    def everywhere(self, state: FunnelState) -> tf.Tensor:
        assert state.reach is not None
        return state.reach.rough

    def shares(self, state: FunnelState) -> tuple[tf.Tensor, tf.Tensor]:
        signals = tf.concat(state.signals, axis=1)
        shares = tf.math.divide_no_nan(signals, state.best[:, :, None])
        shares = tf.concat([shares, self._facet_shares(state)], axis=1)
        shared = tf.gather(self.constants.shared, self.weighed(state), axis=1)
        return shares[:, :, self._asked], tf.transpose(shared, [1, 0, 2])

    def weighed(self, state: FunnelState) -> tf.Tensor:
        assert state.rows is not None
        return state.rows[:, self._asked]

    @property
    def num_weighed(self) -> int:
        return min(self.config.shelf_size, self.num_items)

    @property
    def _head_size(self) -> int:
        return min(self.config.head_size, self.num_items)

    @property
    def _asked(self) -> slice:
        """The columns behind the pads and the head."""
        return slice(1 + self._head_size, None)

    @property
    def _lines(self) -> tuple[str, ...]:
        """Whose links there are: the neighbour tables, then OWN."""
        sources = self.constants.sources
        return sources[: sources.index(OWN) + 1]

    def _best(self, state: FunnelState, allowed: tf.Tensor | None) -> tf.Tensor:
        del allowed  # nothing else was put on the shelf
        scores = self.scores(state)[:, self._asked]
        count = min(self.config.num_candidates, self.num_weighed)
        scores, places = tf.math.top_k(scores, k=count)
        rows = tf.gather(self.weighed(state), places, batch_dims=1)
        return tf.where(scores > LOWEST / 2, rows, self.num_items)

    def _fused(self, state: FunnelState) -> tf.Tensor:
        facets = self._facet_shares(state)
        whole = tf.ones_like(facets[:, :, 0])  # on one scale for everyone
        best = tf.concat([state.best, whole], axis=1)
        fused = self.fusion((*state.signals, facets), best)
        return fused + tf.gather(self.prior, state.rows)

    def _facet_shares(self, state: FunnelState) -> tf.Tensor:
        """[B, facets, W] share of the history with each item's values."""
        taken = state.person.taken
        return feature_blocks.facets_at(state.rows, taken, self.constants)

    def _reach(self, person: Person) -> Reach:
        """What speaks for each item by a list of the history's, and roughly how much.

        Roughly: each link has its root taken, where `scores` takes that of their sum,
        and what needs an item's own vectors is left out.
        """
        width, scale = self.num_items + 1, self._rough_scale()
        own = person.history.rows
        everyone = tf.range(tf.shape(own)[0])[:, None]
        own_line = np.array([len(self._lines) - 1], np.int32)
        links = [Links(own + everyone * width, everyone, own_line, person.own)]
        for kind, group in self.constants.groups.items():
            owners, rows, scores = neighbour_links(
                person, kind, self.constants, static_shapes=self.static_shapes
            )
            lines = np.array([self._lines.index(s) for s in group.sources], np.int32)
            lines = np.repeat(lines, group.sizes)
            links.append(Links(rows + owners * width, owners, lines, scores))
        roots = [tf.gather(scale, part.lines) * tf.sqrt(part.values) for part in links]
        summed = tf.math.unsorted_segment_sum(
            _flat(roots),
            _flat(part.items for part in links),
            tf.size(own[:, 0]) * width,
        )
        facets = self.fusion.of_facets(
            self.facets(person), len(self.constants.sources) + 1
        )
        rough = tf.reshape(summed, [-1, width]) + facets + self.prior
        return Reach(tuple(links), rough)

    def _rough_scale(self) -> tf.Tensor:
        """[L] what the root of a link counts: learned, by what is usual there."""
        typical, count = self.constants.typical, len(self._lines)
        learned = self.fusion.linear[:count] + self.fusion.root[:count]
        return tf.maximum(learned, _LEAST_WEIGHT) * tf.math.rsqrt(typical)

    def _with_nearest(self, rough: tf.Tensor, query: tf.Tensor) -> tf.Tensor:
        """[B, n + 1] rough scores and what the tower says of its nearest items."""
        cosines, rows = self.constants.nearest(query)
        flat = tf.reshape(segment_ids(rows, self.num_items + 1), [-1, 1])
        added = tf.reshape(self.config.tower_weight * cosines, [-1])
        found = tf.tensor_scatter_nd_add(tf.reshape(rough, [-1]), flat, added)
        return tf.reshape(found, [-1, self.num_items + 1])

    def _put(self, person: Person, reach: Reach, rows: tf.Tensor) -> FunnelState:
        """The state with the signals of the pads, the head, and rows [B, C]."""
        pads = tf.fill([tf.shape(rows)[0], 1], self.num_items)
        head = best_candidates(reach.rough, self._head_size)
        rows = tf.concat([pads, head, rows], axis=1)
        constants = self.constants
        column_of = self._column_of(rows)
        linked = self._linked(reach, column_of, rows)
        by_cf = linked[:, 0] * tf.gather(constants.trend, rows)
        factors = products_at(constants.factors_out, person.factors, rows)
        likeness = products_at(constants.titles, person.titles, rows)
        near = None
        if person.query is not None:
            near = products_at(constants.tower_table, person.query, rows)
        state = FunnelState(
            person=person,
            signals=(linked, tf.stack([by_cf, factors, likeness], axis=1)),
            best=tf.zeros([]),  # until it is known, below
            near=near,
            rows=rows,
            column_of=column_of,
            reach=reach,
        )
        at_head = state.picked(state.columns(head, self.num_items))
        best = scales([tf.reduce_max(at_head, axis=2)])
        # Nothing speaks louder than the head's loudest, or shares would have no bound.
        bounds = tf.split(best, [part.shape[1] for part in state.signals], axis=1)
        bounded = [
            tf.minimum(part, bound[:, :, None])
            for part, bound in zip(state.signals, bounds, strict=True)
        ]
        return state._replace(signals=tuple(bounded), best=best)

    def _column_of(self, rows: tf.Tensor) -> tf.Tensor:
        """[B * (n + 1)] int32: the last column of each item; the lowest int: none."""
        width, shape = self.num_items + 1, tf.shape(rows)
        places = tf.tile(tf.range(shape[1]), shape[:1])
        flat = tf.reshape(segment_ids(rows, width), [-1])
        return tf.math.unsorted_segment_max(places, flat, shape[0] * width)

    def _linked(self, reach: Reach, column_of: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """[B, L, W] scores of the columns by each list."""
        count, (batch, width) = len(self._lines), tf.unstack(tf.shape(rows))
        # What has no column has a place far below 0, and is left out of the sums.
        places = [
            tf.gather(column_of, part.items)
            + (part.owners * count + part.lines) * width
            for part in reach.links
        ]
        values = _flat(part.values for part in reach.links)
        total = batch * count * width
        summed = tf.math.unsorted_segment_sum(values, _flat(places), total)
        return tf.reshape(summed, [batch, count, width])


def build_funnel(
    tables: ItemTables,
    item_embeddings: npt.NDArray[np.float32] | None = None,
    config: FunnelConfig | None = None,
    fusion: FusionWeights | None = None,
    *,
    static_shapes: bool = False,
) -> CandidateFunnel:
    """The funnel that fits the catalogue's size; arguments as `CandidateFunnel`'s."""
    config = config or FunnelConfig()
    kind = ShelfFunnel if config.has_shelf(tables.num_items) else CandidateFunnel
    return kind(tables, item_embeddings, config, fusion, static_shapes=static_shapes)


def _flat(parts: Iterable[tf.Tensor]) -> tf.Tensor:
    return tf.concat([tf.reshape(part, [-1]) for part in parts], axis=0)
