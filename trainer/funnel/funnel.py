"""The candidate funnel inside the graph: sources, their union, and ranker features."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.config import ShopConfig
from core.config.funnel import FunnelConfig
from trainer.funnel import features as feature_groups
from trainer.funnel.candidates import (
    LOWEST,
    BestRows,
    Candidates,
    allowed_rows,
    best_rows,
    unite,
)
from trainer.funnel.constants import TableConstants
from trainer.funnel.history import History, canonical_history
from trainer.funnel.scores import dense_max, dense_sum, neighbour_scores
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

# Sources with a score row per person.
PERSONAL = (OWN, CF, CF_TREND, LATELY, FORECAST, FACTORS, KNN, BASKET, INTEREST, TITLE)


class FunnelState(NamedTuple):
    """What `retrieve` and `features` both need of a batch; compute it once."""

    history: History
    sums: tf.Tensor  # [B, n + 1, K] sums over the history, by item
    maxima: tf.Tensor  # [B, n + 1, L]
    scores: dict[str, tf.Tensor]  # source -> [B, n + 1] float32, > 0 where it speaks
    best: dict[str, BestRows]
    links: dict[str, tf.Tensor]  # table -> [B, n + 1] the strongest single neighbour


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
        self.feature_names = tuple(self._features_by_name(*self._example()))

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
        sums, maxima = feature_groups.history_columns(history, self.shop, self.config)
        dense = dense_sum(sums, history.rows, self.num_items)
        scores = self._scores(history, dense)
        return FunnelState(
            history=history,
            sums=dense,
            maxima=dense_max(maxima, history.rows, self.num_items),
            scores=scores,
            best=self._best(scores),
            links={
                name: neighbour_scores(
                    history.rows,
                    history.target,
                    *self.constants.neighbours[name][:2],
                    best=True,
                )
                for name in (KNN, TITLE)
            },
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
        best = state.best | self.constants.shared_best(tf.shape(state.sums)[0])
        if query_embeddings is not None:
            scores = self.constants.tower_scores(query_embeddings)
            best[TOWER] = best_rows(self._warm(scores))
        size = {n: getattr(self.config, SOURCES[_source_index(n)]) for n in best}
        names = [name for name in best if size[name]]
        lists = allowed_rows(
            [best[name] for name in names],
            [size[name] for name in names],
            allowed,
            self.num_items,
        )
        return unite(
            lists,
            [_source_index(name) for name in names],
            num_items=self.num_items,
            limit=self.config.num_candidates,
        )

    def features(
        self, moment: Moment, rows: tf.Tensor, *, state: FunnelState | None = None
    ) -> tf.Tensor:
        """[B, C, F] float32 features of catalogue rows [B, C] int32 (n pads)."""
        state = state or self.state(moment)
        return tf.stack(list(self._features_by_name(rows, state).values()), axis=-1)

    def _scores(self, history: History, sums: tf.Tensor) -> dict[str, tf.Tensor]:
        """[B, n + 1] per source; a distinct item counts once, whatever its visits."""
        weights = feature_groups.history_weights(
            history, sums, self.shop, self.config, self.num_items
        )
        scores = {
            name: neighbour_scores(history.rows, weights[kind], rows, values)
            for name, (rows, values, kind) in self.constants.neighbours.items()
        }
        person = tf.einsum(
            "bh,bhk->bk",
            weights["recent"],
            tf.gather(self.constants.factors_in, history.rows),
        )
        scores[FACTORS] = tf.matmul(person, self.constants.factors_out)
        scores[CF_TREND] = scores[CF] * self.constants.trend[None, :]
        scores[OWN] = weights["own"]
        return scores

    def _best(self, scores: dict[str, tf.Tensor]) -> dict[str, BestRows]:
        """Per personal source, in the order of PERSONAL, its best rows."""
        best = {}
        for name in PERSONAL:
            if name in scores:
                score = scores[name][:, : self.num_items]
                score = tf.where(score > 0, score, LOWEST)
                score = self._warm(score) if name == TITLE else score
                best[name] = best_rows(score)
        return best

    def _warm(self, scores: tf.Tensor) -> tf.Tensor:
        """Without items that nobody has touched, if the settings leave them out."""
        if self.config.cold_items:
            return scores
        return tf.where(self.constants.seen[None, :] > 0, scores, LOWEST)

    def _features_by_name(
        self, rows: tf.Tensor, state: FunnelState
    ) -> dict[str, tf.Tensor]:
        return feature_groups.candidate_features(
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
