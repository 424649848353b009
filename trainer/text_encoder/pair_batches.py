"""Batches of pairs with their accidental hits and hard negatives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from core.config.text_encoder import TextEncoderConfig
from trainer.text_encoder.pairs import Pairs, TrainingPairs, make_pairs
from trainer.text_encoder.tokens import IntArray, shuffled_batches, trim


def epoch_pairs(
    pairs: TrainingPairs, config: TextEncoderConfig, rng: np.random.Generator | None
) -> tuple[Pairs, Pairs]:
    """All query pairs, and this epoch's draw of item pairs (the first, without rng)."""
    queries, items = pairs.query_items, pairs.item_items
    share = config.cobought_share
    wanted = round(share * (queries.num_pairs or config.max_pairs / max(share, 1e-9)))
    if items.num_pairs <= wanted:
        return queries, items
    rows = np.arange(wanted)
    if rng is not None:
        chances = items.weights / items.weights.sum(dtype=np.float64)
        rows = rng.choice(items.num_pairs, wanted, replace=False, p=chances)
    # Heavy pairs are drawn more often, so those drawn weigh the same.
    return queries, make_pairs(items.left[rows], items.right[rows], np.ones(len(rows)))


class PairBatches:
    """Token ids, accidental hits and weights of the batches of an epoch."""

    def __init__(
        self,
        query_ids: IntArray,
        item_ids: IntArray,
        pairs: TrainingPairs,
        config: TextEncoderConfig,
        hard_negatives: Sequence[npt.ArrayLike] | None,
        rng: np.random.Generator,
    ) -> None:
        self._query_ids = query_ids
        self._item_ids = item_ids
        self._pairs = pairs
        self._config = config
        self._rng = rng
        self._num_items = len(item_ids)
        hits, items = pairs.query_hits, pairs.item_items
        self._query_hits = np.unique(self._codes(hits.left, hits.right))
        itself = np.arange(self._num_items)
        self._item_hits = np.unique(
            np.concatenate(
                [
                    self._codes(items.left, items.right),
                    self._codes(items.right, items.left),
                    self._codes(itself, itself),
                ]
            )
        )
        self._hard = self._usable(hard_negatives) if config.hard_negatives else None

    def epoch(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Batches of both kinds in random order; each holds one kind."""
        queries, items = epoch_pairs(self._pairs, self._config, self._rng)
        plan = [
            (kind, rows)
            for kind, pairs in enumerate((queries, items))
            for rows in shuffled_batches(
                (self._item_ids[pairs.right] > 0).sum(axis=1),
                self._config.contrastive_batch,
                self._rng,
            )
            if len(rows) > 1
        ]
        for number in self._rng.permutation(len(plan)):
            kind, rows = plan[number]
            yield self._batch(kind == 0, (queries, items)[kind], rows)

    def _batch(
        self, is_query: bool, pairs: Pairs, rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        left, right = pairs.left[rows], pairs.right[rows]
        if is_query and self._hard is not None:
            right = np.concatenate([right, self._draw_hard(left)])
        hits = self._query_hits if is_query else self._item_hits
        codes = self._codes(left[:, np.newaxis], right[np.newaxis, :])
        texts = self._query_ids if is_query else self._item_ids
        return (
            trim(texts[left]),
            trim(self._item_ids[right]),
            _contains(hits, codes),
            pairs.weights[rows],
        )

    def _draw_hard(self, queries: np.ndarray) -> np.ndarray:
        """Rows of hard negatives of a batch; queries without one add none."""
        mined = self._hard or []
        drawn = [
            self._rng.choice(found, min(self._config.hard_negatives, len(found)), False)
            for found in (mined[query] for query in queries)
            if len(found)
        ]
        return np.concatenate(drawn) if drawn else np.zeros(0, np.int64)

    def _usable(
        self, mined: Sequence[npt.ArrayLike] | None
    ) -> list[npt.NDArray[np.int64]] | None:
        """Mined rows without padding (< 0) and without what people chose."""
        if mined is None:
            return None
        usable = []
        for query, rows in enumerate(mined):
            found = np.asarray(rows, np.int64).ravel()
            found = found[found >= 0]
            chosen = _contains(self._query_hits, self._codes(query, found))
            usable.append(found[~chosen])
        return usable

    def _codes(self, left: npt.ArrayLike, right: npt.ArrayLike) -> np.ndarray:
        """One number per pair."""
        return np.asarray(left, np.int64) * self._num_items + np.asarray(right)


def _contains(ascending: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Which values occur; an np.isin that relies on the order."""
    if not len(ascending):
        return np.zeros(values.shape, bool)
    places = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)
    return np.asarray(ascending[places] == values)
