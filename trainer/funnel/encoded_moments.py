"""Moments as integers, and batches of them as tensors."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import tensorflow as tf

from core import features as names
from core.config import ShopConfig
from trainer.moment import Moment


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


def happened(
    encoded: EncodedMoments, numbers: npt.NDArray[np.int64], n: int, num_events: int
) -> npt.NDArray[np.float32]:
    """[B, n + 1, T] 1 where the event type happens with the item in the horizon."""
    found = np.zeros((len(numbers), n + 1, num_events), np.float32)
    offsets, target_rows, target_kinds = encoded.targets
    for i, number in enumerate(numbers):
        part = slice(offsets[number], offsets[number + 1])
        known = target_kinds[part] >= 0
        found[i, target_rows[part][known], target_kinds[part][known]] = 1.0
    found[:, n] = 0.0
    return found


def _flat(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], npt.NDArray]:  # type: ignore[type-arg]
    """Offsets and flat values of a list column; null lists are empty."""
    lists = column.to_pandas()
    lengths = [0 if v is None else len(v) for v in lists]
    parts = [np.asarray(v, dtype=object) for v in lists if v is not None and len(v)]
    values = np.concatenate(parts) if parts else np.zeros(0, dtype=object)
    return np.cumsum([0, *lengths]).astype(np.int64), values
