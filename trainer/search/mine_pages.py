"""Ranker rows from search pages: what was shown, what was not, what was clicked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tensorflow as tf

from core import features as names
from core.config import ShopConfig
from core.room import batch_size
from trainer.funnel.candidates import LOWEST
from trainer.funnel.encoded_moments import (
    EncodedMoments,
    encode_moments,
    moment_batch,
)
from trainer.funnel.fit_fusion import FusionBatch
from trainer.funnel.ranker_rows import RankerRows
from trainer.moment import Moment
from trainer.search.position_bias import Propensities
from trainer.search.search_funnel import SearchFunnel
from trainer.traced import traced

# (moment, queries) -> rows [B, C], features [B, C, F + M]
Step = Callable[[Moment, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


@dataclasses.dataclass(frozen=True)
class EncodedPages:
    """Search pages as moments, their queries, and what happened on them."""

    moments: EncodedMoments
    queries: npt.NDArray[np.object_]  # [P]
    cutoffs: npt.NDArray[np.int64]  # [P] of the item tables, seconds UTC
    offsets: npt.NDArray[np.int64]  # [P + 1] of the shown items
    rows: npt.NDArray[np.int64]  # [E] catalogue rows, n for unknown ones
    positions: npt.NDArray[np.int64]  # [E], -1 unknown
    happened: npt.NDArray[np.float32]  # [E, T] in the order of `event_types`
    event_types: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.queries)


def search_events(shop: ShopConfig) -> tuple[str, ...]:
    """The event types that say something of a shown item, weakest first."""
    found = tuple(e for e in shop.event_types if e in names.SHOWN_EVENTS)
    return found or (shop.target_event,)


def encode_pages(
    pages: pa.Table, item_ids: npt.NDArray[np.str_], shop: ShopConfig
) -> EncodedPages:
    """A split of JoinHistory's `searches` as integers."""
    shown = encode_moments(
        pages.append_column(
            names.TARGET_ITEM_IDS, pages.column(names.SHOWN_ITEM_IDS)
        ).append_column(names.TARGET_EVENTS, pages.column(names.SHOWN_ITEM_IDS)),
        item_ids,
        shop,
    )
    events = search_events(shop)
    offsets, rows, _ = shown.targets
    return EncodedPages(
        moments=shown,
        queries=np.array(pages.column(names.QUERY).to_pylist(), object),
        cutoffs=pages.column(names.CUTOFF).to_numpy().astype(np.int64),
        offsets=offsets,
        rows=rows,
        positions=_flat_integers(pages, names.SHOWN_POSITIONS),
        happened=np.stack([_happened(pages, e, len(rows)) for e in events], axis=1),
        event_types=events,
    )


def page_step(search: SearchFunnel) -> Step:
    """One graph for candidates and their features."""

    def step(moment: Moment, queries: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        personal = search.funnel.state(moment)
        state = search.state(queries, moment, personal)
        rows = search.retrieve(state)
        found = search.features(moment, rows, personal=personal, state=state)
        return rows, found

    compiled: Step = traced(step, reduce_retracing=True)
    return compiled


def mine_pages(
    pages: EncodedPages,
    search: SearchFunnel,
    propensities: Propensities,
    *,
    sample: bool,
    run: Step,
) -> RankerRows:
    """Candidates of each page with labels, gains and features.

    `gains` is what the listwise loss counts: the worth of what happened with an item,
    over the chance that its slot was looked at, so that in expectation an item counts
    as if everyone had looked at it (Joachims, Swaminathan & Schnabel 2017). `owned`
    stands for "was not shown": a loss over the other rows compares only what the person
    could compare.

    Args:
      sample: keep what was clicked, what else was shown and random others, in this
        order, at most `max_rows_per_page`.
    """
    rng = np.random.default_rng(search.config.seed)
    parts = list(_mined(pages, search, propensities, sample, run, rng))
    if parts:
        return RankerRows.concatenate(parts)
    return RankerRows.none(
        len(search.feature_names), len(pages.event_types), with_gains=True
    )


def fusion_batches_of_pages(
    pages: EncodedPages, search: SearchFunnel, propensities: Propensities, limit: int
) -> list[FusionBatch]:
    """Signals of what may be on a sample of the pages, and the gains of it."""
    rng = np.random.default_rng(search.config.seed)
    count = min(limit, len(pages))
    chosen = np.sort(rng.choice(len(pages), count, replace=False))
    batches = []
    for start in range(0, count, 32):
        numbers = chosen[start : start + 32]
        moment = moment_batch(pages.moments, numbers, search.num_items)
        personal = search.funnel.state(moment)
        state = search.state(_texts(pages, numbers), moment, personal)
        shares = tf.math.divide_no_nan(state.signals, state.best[:, :, None])
        gains, _, _ = _outcome(pages, numbers, search, propensities)
        matched = state.matched.numpy()
        gains = np.take_along_axis(gains, state.items.rows.numpy(), axis=1)
        batches.append(
            FusionBatch(
                shares=shares.numpy().astype(np.float16),
                shared=np.zeros((0, matched.shape[1]), np.float32),
                labels=np.where(matched, gains, 0.0),
                offsets=np.where(matched, 0.0, LOWEST).astype(np.float32),
            )
        )
    return batches


def _mined(
    pages: EncodedPages,
    search: SearchFunnel,
    propensities: Propensities,
    sample: bool,
    run: Step,
    rng: np.random.Generator,
) -> Iterator[RankerRows]:
    lengths = np.diff(pages.moments.history[0])
    order = np.argsort(lengths, kind="stable")
    n = search.num_items
    size = batch_size(search.config.mining_batch, n)
    for start in range(0, len(pages), size):
        numbers = order[start : start + size]
        moment = moment_batch(pages.moments, numbers, n)
        rows, found = (p.numpy() for p in run(moment, _texts(pages, numbers)))
        gains, labels, shown = _outcome(pages, numbers, search, propensities)
        gains = np.take_along_axis(gains, rows, axis=1)
        labels = np.take_along_axis(labels, rows[..., None], axis=1)
        shown = np.take_along_axis(shown, rows, axis=1)
        if sample:
            draw = rng.random(rows.shape) + shown + (gains > 0) - 2.0 * (rows == n)
            most = search.config.max_rows_per_page
            kept = np.argsort(-draw, axis=1, kind="stable")[:, :most]
            rows, gains, shown = (
                np.take_along_axis(p, kept, axis=1) for p in (rows, gains, shown)
            )
            labels = np.take_along_axis(labels, kept[..., None], axis=1)
            found = np.take_along_axis(found, kept[..., None], axis=1)
        real = rows < n
        group = np.broadcast_to(np.arange(len(numbers))[:, None], rows.shape)
        yield RankerRows(
            features=found[real],
            labels=labels[real],
            group=group[real].astype(np.int32),
            rows=rows[real].astype(np.int32),
            owned=~shown[real],
            truth_size=_truth_size(pages, numbers),
            # Not the page's own time: `fit_cutoffs` counts cut-offs of the grid.
            cutoff=pages.cutoffs[numbers],
            gains=gains[real],
        )


def _outcome(
    pages: EncodedPages,
    numbers: npt.NDArray[np.int64],
    search: SearchFunnel,
    propensities: Propensities,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Gains [B, n + 1], labels [B, n + 1, T] and what was shown [B, n + 1]."""
    width = search.num_items + 1
    shape = (len(numbers), width)
    gains, shown = np.zeros(shape, np.float32), np.zeros(shape, bool)
    labels = np.zeros((*shape, len(pages.event_types)), np.float32)
    weights = propensities.weights(pages.positions, search.config.max_click_weight)
    worth = dict(zip(names.SHOWN_EVENTS, search.config.event_gains, strict=True))
    worths = np.array([worth.get(e, 0.0) for e in pages.event_types], np.float32)
    for i, number in enumerate(numbers):
        part = slice(pages.offsets[number], pages.offsets[number + 1])
        rows = pages.rows[part]
        shown[i, rows] = True
        labels[i, rows] = pages.happened[part]
        gains[i, rows] = pages.happened[part] @ worths * weights[part]
    shown[:, -1], labels[:, -1], gains[:, -1] = False, 0.0, 0.0
    return gains, labels, shown


def _truth_size(
    pages: EncodedPages, numbers: npt.NDArray[np.int64]
) -> npt.NDArray[np.int32]:
    """[B, T]: items with each event type, on the page."""
    total = np.cumsum(np.pad(pages.happened, [(1, 0), (0, 0)]), axis=0, dtype=np.int64)
    counts = total[pages.offsets[numbers + 1]] - total[pages.offsets[numbers]]
    return counts.astype(np.int32)


def _texts(pages: EncodedPages, numbers: npt.NDArray[np.int64]) -> tf.Tensor:
    return tf.constant([str(q) for q in pages.queries[numbers]], tf.string)


def _happened(pages: pa.Table, event: str, size: int) -> npt.NDArray[np.float32]:
    """[E] 1 where the event happened; zeros for a type that says nothing of pages."""
    if event not in names.SHOWN_EVENTS:
        return np.zeros(size, np.float32)
    found = _flat_integers(pages, names.SHOWN_EVENTS[event]) > 0
    return found.astype(np.float32)


def _flat_integers(pages: pa.Table, column: str) -> npt.NDArray[np.int64]:
    lists = pages.column(column).combine_chunks()
    if isinstance(lists, pa.ChunkedArray):
        lists = pa.concat_arrays(lists.chunks) if lists.num_chunks else None
    if lists is None:
        return np.zeros(0, np.int64)
    return np.asarray(lists.flatten().to_numpy(zero_copy_only=False), np.int64)
