"""Moments as index arrays, converted once and reused in every epoch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf

from core import features
from core.config.retriever import RetrieverConfig
from trainer.data.log_sample import iterate_log, share_of_users
from trainer.layers.history_encoder import age_buckets
from trainer.retriever.catalogue import Catalogue
from trainer.retriever.transformed import transform_table

if TYPE_CHECKING:
    import tensorflow_transform as tft

_ROWS_AT_ONCE = 65_536


@dataclasses.dataclass(frozen=True, kw_only=True)
class MomentArrays:
    """m moments, H history slots each (left-padded), and their distinct targets."""

    persons: dict[str, np.ndarray]  # user_id_xf, hour_xf, weekday_xf, contexts: [m]
    history_rows: np.ndarray  # [m, H] int32; num_items pads
    history_events: np.ndarray  # [m, H] int32; -1 pads
    history_ages: np.ndarray  # [m, H] int32 age buckets
    target_rows: np.ndarray  # [t] int32, grouped by moment
    target_weights: np.ndarray  # [t] float32
    target_offsets: np.ndarray  # [m + 1] int64: moment i has targets offsets[i:i+2]
    # [m] int32 rows of the model's query vectors, 0 without words; None: all of them.
    query_rows: np.ndarray | None = None

    @property
    def num_moments(self) -> int:
        return len(self.target_offsets) - 1

    def take(self, moments: np.ndarray) -> MomentArrays:
        """The moments at these positions, in this order."""
        counts = np.diff(self.target_offsets)[moments]
        queries = None if self.query_rows is None else self.query_rows[moments]
        picked = ranges(self.target_offsets[moments], counts)
        return MomentArrays(
            persons={name: v[moments] for name, v in self.persons.items()},
            history_rows=self.history_rows[moments],
            history_events=self.history_events[moments],
            history_ages=self.history_ages[moments],
            target_rows=self.target_rows[picked],
            target_weights=self.target_weights[picked],
            target_offsets=np.concatenate([[0], np.cumsum(counts)]),
            query_rows=queries,
        )


def ranges(starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Concatenation of start .. start + count - 1 for every pair, [sum(counts)]."""
    ends = np.cumsum(counts)
    shift = np.repeat(starts - (ends - counts), counts)
    return np.arange(int(counts.sum())) + shift


def concatenate(parts: list[MomentArrays]) -> MomentArrays:
    """All moments of several splits, in order."""
    offsets = [np.zeros(1, np.int64)]
    for part in parts:
        offsets.append(part.target_offsets[1:] + offsets[-1][-1])
    first = parts[0]
    return MomentArrays(
        persons={
            n: np.concatenate([p.persons[n] for p in parts]) for n in first.persons
        },
        history_rows=np.concatenate([p.history_rows for p in parts]),
        history_events=np.concatenate([p.history_events for p in parts]),
        history_ages=np.concatenate([p.history_ages for p in parts]),
        target_rows=np.concatenate([p.target_rows for p in parts]),
        target_weights=np.concatenate([p.target_weights for p in parts]),
        target_offsets=np.concatenate(offsets),
        query_rows=_all_query_rows(parts),
    )


def _all_query_rows(parts: list[MomentArrays]) -> np.ndarray | None:
    if all(part.query_rows is None for part in parts):
        return None
    rows = [
        np.zeros(p.num_moments, np.int32) if p.query_rows is None else p.query_rows
        for p in parts
    ]
    return np.concatenate(rows)


def read_moments(
    uri: str,
    split: str,
    catalogue: Catalogue,
    transform: tft.TFTransformOutput,
    config: RetrieverConfig,
) -> MomentArrays:
    """One split of a `moments` artifact; moments without a known target are left out.

    Of more than `config.max_moments`, those of a share of the users. Histories are wide
    as text, so they become numbers some row groups at a time.

    Args:
      uri: `moments` Examples.
      split: `next_train`, `next_eval`, ...
      catalogue: gives catalogue rows to item ids.
      transform: the Transform step's graph.
      config: history length, event types and their weights, context columns.
    """
    columns = [
        features.USER_ID,
        features.TIMESTAMP,
        features.HISTORY_ITEM_IDS,
        features.HISTORY_EVENTS,
        features.HISTORY_TIMESTAMPS,
        features.TARGET_ITEM_IDS,
        features.TARGET_EVENTS,
        *config.context_features,
    ]
    share = share_of_users(uri, [split], config.max_moments)
    groups = iterate_log(uri, [split], columns, share)
    return concatenate(
        [
            make_moments(table, catalogue, transform, config)
            for table in _joined(groups, _ROWS_AT_ONCE)
        ]
    )


def _joined(tables: Iterator[pa.Table], num_rows: int) -> Iterator[pa.Table]:
    """The same rows in tables of at least `num_rows`, but for the last."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(part.num_rows for part in waiting) >= num_rows:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def make_moments(
    table: pa.Table,
    catalogue: Catalogue,
    transform: tft.TFTransformOutput,
    config: RetrieverConfig,
    query_rows: np.ndarray | None = None,
) -> MomentArrays:
    """As `read_moments`, from the table itself; `query_rows` of its rows, if any."""
    table = table.combine_chunks()
    rows, weights, offsets = _targets(table, catalogue, config)
    kept = np.flatnonzero(np.diff(offsets) > 0)
    arrays = MomentArrays(
        persons=_persons(table, transform, config),
        **_histories(table, catalogue, config),
        target_rows=rows,
        target_weights=weights,
        target_offsets=offsets,
        query_rows=query_rows,
    )
    return arrays.take(kept)


def _persons(
    table: pa.Table, transform: tft.TFTransformOutput, config: RetrieverConfig
) -> dict[str, np.ndarray]:
    columns = [features.USER_ID, features.TIMESTAMP, *config.context_features]
    return transform_table(transform, table.select(columns))


def flat_list(table: pa.Table, column: str) -> tuple[pa.Array, np.ndarray]:
    """Flattened list column and its [m + 1] offsets."""
    lists = table.column(column)
    if table.num_rows == 0:
        return pa.array([], lists.type.value_type), np.zeros(1, np.int64)
    array = pa.concat_arrays(lists.chunks)
    lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy()
    return array.flatten(), np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def _event_index(events: pa.Array, config: RetrieverConfig) -> np.ndarray:
    known = pa.array(config.event_types, pa.string())
    found = pc.index_in(events.cast(pa.string()), value_set=known)
    return found.fill_null(-1).to_numpy(zero_copy_only=False)


def _histories(
    table: pa.Table, catalogue: Catalogue, config: RetrieverConfig
) -> dict[str, np.ndarray]:
    item_ids, offsets = flat_list(table, features.HISTORY_ITEM_IDS)
    events, _ = flat_list(table, features.HISTORY_EVENTS)
    times, _ = flat_list(table, features.HISTORY_TIMESTAMPS)
    width = config.max_history
    counts = np.minimum(np.diff(offsets), width)
    source = ranges(offsets[1:] - counts, counts)  # the newest `width` slots
    slot = ranges(width - counts, counts)
    moment = np.repeat(np.arange(table.num_rows), counts)
    shape = (table.num_rows, width)
    rows = np.full(shape, catalogue.num_items, np.int32)
    rows[moment, slot] = catalogue.rows_of(item_ids)[source]
    kinds = np.full(shape, -1, np.int32)
    kinds[moment, slot] = _event_index(events, config)[source]
    stamps = np.zeros(shape, np.int64)
    stamps[moment, slot] = times.to_numpy(zero_copy_only=False)[source]
    now = table.column(features.TIMESTAMP).to_numpy()
    ages = age_buckets(tf.constant(now, tf.int64), tf.constant(stamps)).numpy()
    return {"history_rows": rows, "history_events": kinds, "history_ages": ages}


def _targets(
    table: pa.Table, catalogue: Catalogue, config: RetrieverConfig
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct known targets with the weight of their strongest event."""
    item_ids, offsets = flat_list(table, features.TARGET_ITEM_IDS)
    events, _ = flat_list(table, features.TARGET_EVENTS)
    n = catalogue.num_items
    rows = catalogue.rows_of(item_ids)
    weight_of = np.asarray([*config.event_weights, 0.0], np.float32)
    weights = weight_of[_event_index(events, config)]  # -1 is the last: 0
    moment = np.repeat(np.arange(table.num_rows, dtype=np.int64), np.diff(offsets))
    known = (rows < n) & (weights > 0)
    keys, inverse = np.unique(
        moment[known] * (n + 1) + rows[known], return_inverse=True
    )
    strongest = np.zeros(len(keys), np.float32)
    np.maximum.at(strongest, inverse.reshape(-1), weights[known])
    counts = np.bincount(keys // (n + 1), minlength=table.num_rows)
    distinct = (keys % (n + 1)).astype(np.int32)
    return distinct, strongest, np.concatenate([[0], np.cumsum(counts)])
