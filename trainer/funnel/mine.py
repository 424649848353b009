"""Ranker rows from moments: retrieve, label, sample, and compute features."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import tensorflow as tf

from core import features as names
from core.config import ShopConfig
from core.room import batch_size
from trainer.funnel.funnel import CandidateFunnel
from trainer.moment import Moment
from trainer.traced import traced

EmbedQuery = Callable[[Moment], tf.Tensor]  # -> [B, d] float32

# (moment, queries) -> rows [B, C] int32, features [B, C, F] float32
Step = Callable[[Moment, tf.Tensor | None], tuple[tf.Tensor, tf.Tensor]]

META_FILE = "meta.json"


@dataclasses.dataclass(frozen=True)
class RankerRows:
    """R rows of M moments; the moments' rows are contiguous."""

    features: npt.NDArray[np.float32]  # [R, F]
    labels: npt.NDArray[np.float32]  # [R, T], 1 if the event happens in the horizon
    group: npt.NDArray[np.int32]  # [R] moment number
    rows: npt.NDArray[np.int32]  # [R] catalogue rows
    owned: npt.NDArray[np.bool_]  # [R] the target event stands in the history
    truth_size: npt.NDArray[np.int32]  # [M] distinct target items, retrieved or not
    cutoff: npt.NDArray[np.int64]  # [M] seconds UTC
    # [R] worth of a row in the listwise loss; None: the target event's label.
    gains: npt.NDArray[np.float32] | None = None

    def save(self, path: str | Path) -> None:
        """Writes one npz file."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        arrays = {k: v for k, v in vars(self).items() if v is not None}
        np.savez(path, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> RankerRows:
        with np.load(path) as file:
            return cls(**{name: file[name] for name in file.files})

    @classmethod
    def concatenate(cls, parts: list[RankerRows]) -> RankerRows:
        """Parts one after another, moments renumbered."""
        starts = np.cumsum([0, *(len(p.truth_size) for p in parts[:-1])])
        joined = {
            name: np.concatenate([getattr(p, name) for p in parts])
            for name, value in vars(parts[0]).items()
            if value is not None
        }
        groups = [p.group + start for p, start in zip(parts, starts, strict=True)]
        joined["group"] = np.concatenate(groups).astype(np.int32)
        return cls(**joined)


@dataclasses.dataclass(frozen=True)
class EncodedMoments:
    """Moments as catalogue rows and event indices, lists flattened by offsets."""

    user_ids: npt.NDArray[np.object_]
    timestamps: npt.NDArray[np.int64]
    history: tuple[npt.NDArray[np.int64], ...]  # offsets, rows, kinds, timestamps
    targets: tuple[npt.NDArray[np.int64], ...]  # offsets, rows, kinds
    context: dict[str, npt.NDArray[np.object_]]

    def __len__(self) -> int:
        return len(self.timestamps)


def encode_moments(
    moments: pa.Table, item_ids: npt.NDArray[np.str_], shop: ShopConfig
) -> EncodedMoments:
    """Ids of a `moments` table to integers; unknown items become row n."""
    index = pd.Index(np.asarray(item_ids, dtype=object))
    kinds = pd.Index(shop.event_types)
    n = len(index)

    def rows(column: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        offsets, values = _flat(moments.column(column))
        found = index.get_indexer(values).astype(np.int64)
        return offsets, np.where(found < 0, n, found)

    offsets, history_rows = rows(names.HISTORY_ITEM_IDS)
    target_offsets, target_rows = rows(names.TARGET_ITEM_IDS)
    history_kinds = kinds.get_indexer(_flat(moments.column(names.HISTORY_EVENTS))[1])
    target_kinds = kinds.get_indexer(_flat(moments.column(names.TARGET_EVENTS))[1])
    stamps = _flat(moments.column(names.HISTORY_TIMESTAMPS))[1].astype(np.int64)
    context = {
        name: moments.column(name).to_pandas().fillna("").to_numpy(dtype=object)
        for name in shop.context_features
        if name in moments.column_names
    }
    return EncodedMoments(
        user_ids=moments.column(names.USER_ID).to_pandas().to_numpy(dtype=object),
        timestamps=moments.column(names.TIMESTAMP).to_numpy().astype(np.int64),
        history=(offsets, history_rows, history_kinds.astype(np.int64), stamps),
        targets=(target_offsets, target_rows, target_kinds.astype(np.int64)),
        context=context,
    )


def moment_batch(
    encoded: EncodedMoments, numbers: npt.NDArray[np.int64], n: int
) -> Moment:
    """The named moments as tensors, histories right-aligned to the longest."""
    offsets, rows, kinds, stamps = encoded.history
    lengths = offsets[numbers + 1] - offsets[numbers]
    width = max(1, int(lengths.max(initial=0)))
    slot = np.arange(width)[None, :] - (width - lengths)[:, None]
    at = np.where(slot >= 0, offsets[numbers][:, None] + slot, len(rows))

    def padded(values: npt.NDArray[np.int64], fill: int) -> npt.NDArray[np.int64]:
        return np.append(values, fill)[at]

    context = {
        k: tf.constant(v[numbers].astype(str)) for k, v in encoded.context.items()
    }
    return Moment(
        user_ids=tf.constant(encoded.user_ids[numbers].astype(str)),
        timestamps=tf.constant(encoded.timestamps[numbers], tf.int64),
        history_rows=tf.constant(padded(rows, n), tf.int32),
        history_events=tf.constant(padded(kinds, -1), tf.int32),
        history_timestamps=tf.constant(padded(stamps, 0), tf.int64),
        context=context,
    )


def mining_step(funnel: CandidateFunnel) -> Step:
    """One graph for candidates and their features."""

    def step(moment: Moment, queries: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        state = funnel.state(moment, queries)
        rows = funnel.retrieve(moment, state=state)
        return rows, funnel.features(moment, rows, state=state)

    compiled: Step = traced(step, reduce_retracing=True)
    return compiled


def mine(
    moments: pa.Table,
    funnel: CandidateFunnel,
    item_ids: npt.NDArray[np.str_],
    *,
    embed_query: EmbedQuery | None = None,
    sample: bool = True,
    run: Step | None = None,
) -> RankerRows:
    """Candidates of each moment with labels and features.

    Args:
      moments: the `moments` table's columns; all at the cut-off of the funnel's tables.
      item_ids: [n] the catalogue order.
      embed_query: the retriever, whose cosine joins the first stage.
      run: `mining_step(funnel)`, to trace it once for several cut-offs.
      sample: keep every retrieved positive and a sample of the negatives, at most
        `max_rows_per_moment`; False keeps all candidates.
    """
    encoded = encode_moments(moments, item_ids, funnel.shop)
    run = run or mining_step(funnel)
    return RankerRows.concatenate(
        list(_mined_batches(encoded, funnel, embed_query, sample, run))
        or [_empty(funnel)]
    )


def _mined_batches(
    encoded: EncodedMoments,
    funnel: CandidateFunnel,
    embed_query: EmbedQuery | None,
    sample: bool,
    run: Step,
) -> Iterator[RankerRows]:
    rng = np.random.default_rng(funnel.config.seed)
    # Sorted by length, so that a batch pads little.
    order = np.argsort(np.diff(encoded.history[0]), kind="stable")
    size = batch_size(funnel.config.mining_batch, funnel.num_items)
    for start in range(0, len(encoded), size):
        numbers = order[start : start + size]
        moment = moment_batch(encoded, numbers, funnel.num_items)
        queries = embed_query(moment) if embed_query else None
        rows, found = (part.numpy() for part in run(moment, queries))
        labels = _labels(encoded, numbers, rows, funnel)
        if sample:
            kept = _sampled(labels, rows < funnel.num_items, funnel, rng)
            rows = np.take_along_axis(rows, kept, axis=1)
            labels = np.take_along_axis(labels, kept[..., None], axis=1)
            found = np.take_along_axis(found, kept[..., None], axis=1)
        yield _packed(encoded, numbers, rows, labels, found, funnel)


def _labels(
    encoded: EncodedMoments,
    numbers: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int32],
    funnel: CandidateFunnel,
) -> npt.NDArray[np.float32]:
    """[B, C, T] 1 where the event type happens with the candidate in the horizon."""
    found = happened(encoded, numbers, funnel)
    return np.take_along_axis(found, rows[..., None], axis=1)


def happened(
    encoded: EncodedMoments, numbers: npt.NDArray[np.int64], funnel: CandidateFunnel
) -> npt.NDArray[np.float32]:
    """[B, n + 1, T] 1 where the event type happens with the item in the horizon."""
    n, kinds = funnel.num_items, len(funnel.shop.event_types)
    found = np.zeros((len(numbers), n + 1, kinds), np.float32)
    offsets, target_rows, target_kinds = encoded.targets
    for i, number in enumerate(numbers):
        part = slice(offsets[number], offsets[number + 1])
        known = target_kinds[part] >= 0
        found[i, target_rows[part][known], target_kinds[part][known]] = 1.0
    found[:, n] = 0.0
    return found


def _sampled(
    labels: npt.NDArray[np.float32],
    real: npt.NDArray[np.bool_],
    funnel: CandidateFunnel,
    rng: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """[B, S] places of the kept candidates: positives first, then random negatives."""
    size = min(funnel.config.max_rows_per_moment, labels.shape[1])
    draw = rng.random(labels.shape[:2])
    draw += labels.max(axis=2) + labels[..., funnel.target]
    return np.argsort(-np.where(real, draw, -1.0), axis=1, kind="stable")[:, :size]


def _packed(
    encoded: EncodedMoments,
    numbers: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int32],
    labels: npt.NDArray[np.float32],
    found: npt.NDArray[np.float32],
    funnel: CandidateFunnel,
) -> RankerRows:
    real = rows < funnel.num_items
    group = np.broadcast_to(np.arange(len(numbers))[:, None], rows.shape)
    offsets, target_rows, target_kinds = encoded.targets
    truth = [
        np.unique(target_rows[a:b][target_kinds[a:b] == funnel.target]).size
        for a, b in zip(offsets[numbers], offsets[numbers + 1], strict=True)
    ]
    owned = found[..., funnel.feature_names.index("owned")] > 0
    return RankerRows(
        features=found[real],
        labels=labels[real],
        group=group[real].astype(np.int32),
        rows=rows[real].astype(np.int32),
        owned=owned[real],
        truth_size=np.asarray(truth, np.int32),
        cutoff=encoded.timestamps[numbers],
    )


def write_meta(folder: str | Path, funnel: CandidateFunnel) -> None:
    """Writes `meta.json`: what the columns of the arrays mean."""
    meta = {
        "feature_names": list(funnel.feature_names),
        "event_types": list(funnel.shop.event_types),
        "target_event": funnel.shop.target_event,
        "num_items": funnel.num_items,
        "num_candidates": funnel.config.num_candidates,
    }
    Path(folder).mkdir(parents=True, exist_ok=True)
    (Path(folder) / META_FILE).write_text(json.dumps(meta, indent=1))


def _empty(funnel: CandidateFunnel) -> RankerRows:
    return RankerRows(
        features=np.zeros((0, funnel.num_features), np.float32),
        labels=np.zeros((0, len(funnel.shop.event_types)), np.float32),
        group=np.zeros(0, np.int32),
        rows=np.zeros(0, np.int32),
        owned=np.zeros(0, np.bool_),
        truth_size=np.zeros(0, np.int32),
        cutoff=np.zeros(0, np.int64),
    )


def _flat(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], npt.NDArray]:  # type: ignore[type-arg]
    """Offsets and flat values of a list column; null lists are empty."""
    lists = column.to_pandas()
    lengths = [0 if v is None else len(v) for v in lists]
    parts = [np.asarray(v, dtype=object) for v in lists if v is not None and len(v)]
    values = np.concatenate(parts) if parts else np.zeros(0, dtype=object)
    return np.cumsum([0, *lengths]).astype(np.int64), values
