"""Item tables as variables of the graph, laid out for gathers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.config.funnel import FunnelConfig
from trainer.funnel.candidates import LOWEST
from trainer.funnel.integer_tables import integer_variable
from trainer.funnel.neighbours import Neighbours
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
    TITLE,
    TRENDING,
)
from trainer.funnel.tables import ItemTables
from trainer.retrieval_scale.partitioned_index import (
    PartitionedIndex,
    build_cells,
    exact_rows,
    recall_of,
)

# What an item feature's mean over the history tells a taste for: hits, new things, what
# is on the rise.
TASTES = ("item_buyers_ever", "item_age", "item_trend")
TITLE_LIKENESS = "title_likeness"
# Neighbour tables by the weighting of the history that they are summed with.
ONCE, RECENT, WEIGHED = "once", "recent", "interest"
WEIGHTING = {
    ONCE: (CF, FORECAST),
    RECENT: (KNN, TITLE, BASKET, LATELY),
    WEIGHED: (INTEREST,),
}


class NeighbourGroup(NamedTuple):
    """Neighbour lists of several sources side by side, one gather for all."""

    sources: tuple[str, ...]
    sizes: tuple[int, ...]  # list length of each source, together N
    # [n + 1, N] uint32 catalogue row, + source * (n + 1) where all items are weighed
    ids: tf.Variable
    values: tf.Variable  # [n + 1, N] float32


class TableConstants(tf.Module):
    """Row n (padding) of every [n + 1, ...] table is neutral: zero scores, features."""

    def __init__(
        self,
        tables: ItemTables,
        item_embeddings: npt.NDArray[np.float32] | None,
        config: FunnelConfig,
    ) -> None:
        super().__init__(name="table_constants")
        n = tables.num_items
        self.num_items, self.as_of = n, tables.as_of
        self.static_names = tables.feature_names
        self.shelf = config.has_shelf(n)
        self.groups = {
            kind: _group(
                kind, {k: tables.neighbours[k] for k in found}, n, not self.shelf
            )
            for kind, names in WEIGHTING.items()
            if (found := [k for k in names if k in tables.neighbours])
        }
        self.static = _variable(_with_row(tables.features, 0), "item_features")
        self.factors_in = _variable(_with_row(tables.factors_in, 0), "factors_in")
        # Read whole they are columns; read here and there, rows.
        out = _with_row(tables.factors_out, 0)
        out = out if self.shelf else np.ascontiguousarray(out.T)
        self.factors_out = _variable(out, "factors_out")
        self.trend = _variable(
            np.append(tables.trend, 0) ** tables.config.trend_power, "trend"
        )
        grouped = [s for group in self.groups.values() for s in group.sources]
        self.sources = (*grouped, OWN, CF_TREND, FACTORS)
        # How strong a link of each source usually is at best; OWN's counts as it is.
        best = [_typical(tables.neighbours[source]) for source in grouped]
        self.typical = _variable([*best, 1.0], "typical")
        # Never a candidate: the pads, and cold items where the settings leave them out.
        silent = np.append(np.zeros(n) if config.cold_items else tables.seen == 0, 1)
        self.silence = _variable(np.where(silent > 0, LOWEST, 0.0), "silence")
        shared = {
            f"{POPULAR}_{days}": _share(tables.popularity[days], tables.buyers)
            for days in config.popular_days
        }
        shared[TRENDING] = _share(tables.trending, tables.buyers)
        self.shared_names = tuple(shared)
        self.shared = _variable(np.stack(list(shared.values())), "shared")  # [P, n + 1]
        self.repeat_gaps = _variable(np.append(tables.repeat_gaps, 0), "repeat_gaps")
        self.titles = _variable(_with_row(tables.title_vectors, 0), "title_vectors")
        days = {"item_trend": f"_{tables.config.trend_days}d"}
        tastes = [tables.feature_names.index(t + days.get(t, "")) for t in TASTES]
        compared = np.column_stack([tables.prices, tables.features[:, tastes]])
        self.compared = _variable(_with_row(compared, 0), "compared")  # [n + 1, 4]
        self.facet_names = tuple(tables.facets)
        sizes = [int(v.max(initial=0)) + 1 for v in tables.facets.values()]
        self.facet_sizes, self.facet_size = tuple(sizes), sum(sizes)
        starts = np.cumsum([0, *sizes])[:-1]
        facets = np.zeros((n + 1, len(sizes)), np.int32)
        for i, values in enumerate(tables.facets.values()):
            facets[:n, i] = values
        # Items share combinations of values: what is summed over an item's facets is
        # summed once for each combination.
        combinations, of_items = np.unique(facets + starts, axis=0, return_inverse=True)
        self.facets = _variable(combinations, "facets")  # [U, facets]
        self.facets_of = _variable(of_items.ravel(), "facets_of")  # [n + 1]
        # What the first stage weighs, in the order of `FunnelState.signals`.
        shares = (f"{name}_share" for name in self.facet_names)
        self.signal_names = (*self.sources, TITLE_LIKENESS, *shares)
        self.tower: tf.Variable | None = None
        self.index: PartitionedIndex | None = None
        if item_embeddings is not None:
            self._hold_tower(item_embeddings, config)

    def _hold_tower(
        self, item_embeddings: npt.NDArray[np.float32], config: FunnelConfig
    ) -> None:
        vectors = _with_row(item_embeddings, 0)
        vectors = vectors if self.shelf else np.ascontiguousarray(vectors.T)
        self.tower = _variable(vectors, "tower")
        if self.shelf and config.tower_weight:
            cells = build_cells(item_embeddings, seed=config.seed)
            self.index = PartitionedIndex(
                cells, item_embeddings, num_probes=config.tower_probes
            )
            self.num_nearest = min(config.tower_nearest, self.index.shortlist)

    @property
    def tower_table(self) -> tf.Variable:
        """The retriever's items: [n + 1, d] where there is a shelf, else [d, n + 1]."""
        if self.tower is None:
            raise ValueError("The funnel was built without item embeddings.")
        return self.tower

    def tower_scores(self, query_embeddings: tf.Tensor) -> tf.Tensor:
        """[B, n + 1] inner products of queries [B, d] and items."""
        return tf.matmul(query_embeddings, self.tower_table, transpose_b=self.shelf)

    def tower_vectors(self, rows: tf.Tensor) -> tf.Tensor:
        """[B, d] of the items at rows [B]."""
        vectors = self.tower_table.read_value()
        if self.shelf:
            return tf.gather(vectors, rows)
        return tf.transpose(tf.gather(vectors, rows, axis=1))

    def nearest(self, query_embeddings: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Cosines [B, N], at least 0, and rows [B, N] int32 of the tower's nearest.

        Raises:
          ValueError: there is no index: all items are weighed.
        """
        if self.index is None:
            raise ValueError("The funnel was built without an index of the tower.")
        cosines, rows = self.index.best(query_embeddings, self.num_nearest)
        return tf.nn.relu(cosines), tf.where(rows < 0, self.num_items, rows)

    def index_recall(self, query_embeddings: npt.NDArray[np.float32]) -> float:
        """Share of the nearest of all items that `nearest` finds of queries [q, d]."""
        vectors = self.tower_table.numpy()[:-1]
        found = self.nearest(tf.constant(query_embeddings))[1].numpy()
        return recall_of(found, exact_rows(vectors, query_embeddings, found.shape[1]))


def _group(
    kind: str, tables: dict[str, Neighbours], num_items: int, apart: bool
) -> NeighbourGroup:
    rows = [
        _with_row(table.rows, num_items) + apart * i * (num_items + 1)
        for i, table in enumerate(tables.values())
    ]
    scores = [_with_row(table.scores, 0) for table in tables.values()]
    return NeighbourGroup(
        sources=tuple(tables),
        sizes=tuple(part.shape[1] for part in rows),
        ids=_variable(np.concatenate(rows, axis=1), f"{kind}_ids"),
        values=_variable(np.concatenate(scores, axis=1), f"{kind}_values"),
    )


def _typical(table: Neighbours) -> float:
    """The mean of the lists' best scores."""
    best = table.scores.max(axis=1, initial=0.0)
    return max(float(best[best > 0].mean()), 1e-9) if best.any() else 1.0


def _with_row(table: npt.NDArray[Any], fill: float) -> npt.NDArray[Any]:
    row = np.full((1, *table.shape[1:]), fill, table.dtype)
    return np.concatenate([table, row])


def _share(
    counts: npt.NDArray[np.float32], ties: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """[n + 1] counts over the largest, ties broken by all-time counts; 0 for pads."""
    scores = counts + ties / (ties.max(initial=0.0) + 1.0) * 0.5
    return np.append(scores / max(float(scores.max(initial=0.0)), 1e-9), 0.0)


def _variable(values: object, name: str) -> tf.Variable:
    array = np.asarray(values)
    if array.dtype.kind == "i":
        return integer_variable(array, name)
    return tf.Variable(array.astype(np.float32), trainable=False, name=name)
