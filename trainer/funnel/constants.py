"""Item tables as variables of the graph, laid out for gathers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.config.funnel import FunnelConfig
from trainer.funnel.candidates import DEPTH, LOWEST, BestRows
from trainer.funnel.sources import (
    BASKET,
    CF,
    FORECAST,
    INTEREST,
    KNN,
    LATELY,
    POPULAR,
    TITLE,
    TRENDING,
)
from trainer.funnel.tables import ItemTables

# Which weighting of the history each neighbour table is summed with.
WEIGHTING = {CF: "once", KNN: "recent", BASKET: "recent", TITLE: "recent"}
WEIGHTING |= {INTEREST: "interest", LATELY: "recent", FORECAST: "once"}


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
        self.neighbours = {
            name: (
                _variable(_with_row(table.rows, n), f"{name}_rows"),
                _variable(_with_row(table.scores, 0), f"{name}_scores"),
                WEIGHTING[name],
            )
            for name, table in tables.neighbours.items()
        }
        self.static = _variable(_with_row(tables.features, 0), "item_features")
        self.factors_in = _variable(_with_row(tables.factors_in, 0), "factors_in")
        out = np.ascontiguousarray(_with_row(tables.factors_out, 0).T)
        self.factors_out = _variable(out, "factors_out")
        self.trend = _variable(
            np.append(tables.trend, 0) ** tables.config.trend_power, "trend"
        )
        self.seen = _variable(tables.seen, "seen")
        shared = {
            f"{POPULAR}_{days}": _ranked(tables.popularity[days], tables.buyers)
            for days in config.popular_days
        }
        shared[TRENDING] = _ranked(tables.trending, tables.buyers)
        self._shared = {
            name: (
                _variable(row, name),
                _variable(-np.sort(-row)[:DEPTH], f"{name}_values"),
                _variable(np.argsort(-row, kind="stable")[:DEPTH], f"{name}_best"),
            )
            for name, row in shared.items()
        }
        self.prices = _variable(np.append(tables.prices, 0), "prices")
        self.repeat_gaps = _variable(np.append(tables.repeat_gaps, 0), "repeat_gaps")
        self.titles = _variable(_with_row(tables.title_vectors, 0), "title_vectors")
        self.facets = {
            name: _variable(np.append(ids, 0).astype(np.int32), f"facet_{name}")
            for name, ids in tables.facets.items()
        }
        self.facet_sizes = {
            k: int(v.max(initial=0)) + 1 for k, v in tables.facets.items()
        }
        self.tower: tf.Variable | None = None
        if item_embeddings is not None:
            self.tower = _variable(np.ascontiguousarray(item_embeddings.T), "tower")

    def shared_best(self, batch: tf.Tensor) -> dict[str, BestRows]:
        """What everybody is offered: popular windows and trending items."""
        return {
            name: BestRows(*(tf.repeat(part[None, :], batch, axis=0) for part in parts))
            for name, parts in self._shared.items()
        }

    def tower_scores(self, query_embeddings: tf.Tensor) -> tf.Tensor:
        """[B, n] inner products of queries [B, d] and items [n, d]."""
        if self.tower is None:
            raise ValueError("The funnel was built without item embeddings.")
        return tf.matmul(query_embeddings, self.tower)


def _with_row(table: npt.NDArray[np.generic], fill: float) -> npt.NDArray[np.generic]:
    row = np.full((1, *table.shape[1:]), fill, table.dtype)
    return np.concatenate([table, row])


def _ranked(
    counts: npt.NDArray[np.float32], ties: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Counts with ties broken by all-time counts; lowest where nothing was counted."""
    scores = counts + ties / (ties.max(initial=0.0) + 1.0) * 0.5
    return np.where(ties > 0, scores, LOWEST).astype(np.float32)


def _variable(values: object, name: str) -> tf.Variable:
    array = np.asarray(values)
    dtype = np.int32 if array.dtype.kind == "i" else np.float32
    return tf.Variable(array.astype(dtype), trainable=False, name=name)
