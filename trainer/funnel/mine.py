"""Ranker rows from moments: retrieve, label, sample, and compute features."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tensorflow as tf

from core.room import batch_size
from trainer.funnel.encoded_moments import (
    EncodedMoments,
    encode_moments,
    happened,
    moment_batch,
)
from trainer.funnel.funnel import CandidateFunnel
from trainer.funnel.ranker_rows import RankerRows
from trainer.moment import Moment
from trainer.traced import traced

EmbedQuery = Callable[[Moment], tf.Tensor]  # -> [B, d] float32

# (moment, queries) -> rows [B, C] int32, features [B, C, F] float32
Step = Callable[[Moment, tf.Tensor | None], tuple[tf.Tensor, tf.Tensor]]


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
        or [RankerRows.none(funnel.num_features, len(funnel.shop.event_types))]
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
    found = happened(encoded, numbers, funnel.num_items, len(funnel.shop.event_types))
    return np.take_along_axis(found, rows[..., None], axis=1)


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
    events = range(len(funnel.shop.event_types))
    truth = [
        [np.unique(target_rows[a:b][target_kinds[a:b] == kind]).size for kind in events]
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
