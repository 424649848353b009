"""Contrastive fine-tuning: texts that belong together come close."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core import progress
from core.config.text_encoder import TextEncoderConfig
from trainer.text_encoder.encoder import TextEncoder
from trainer.text_encoder.pairs import Pairs, TrainingPairs, make_pairs
from trainer.text_encoder.schedule import TrainingPhase
from trainer.text_encoder.tokens import IntArray, shuffled_batches, trim

STEP = "TextEncoder"
_FORBIDDEN = -1e9


def fine_tune(
    encoder: TextEncoder,
    query_ids: IntArray,
    item_ids: IntArray,
    pairs: TrainingPairs,
    config: TextEncoderConfig,
    seconds: float,
    hard_negatives: Sequence[npt.ArrayLike] | None = None,
) -> dict[str, Any]:
    """Trains the encoder in place on (query, item) and (item, co-bought item) pairs.

    Args:
      query_ids: [Q, Tq] int32 token ids of `pairs.queries`.
      item_ids: [n, Ti] int32 token ids of the items.
      seconds: no new step after this long.
      hard_negatives: for each query, rows of items that words alone confuse with what
        it asks for; `config.hard_negatives` of them join each of its pairs, those left
        out that people did choose.

    Returns:
      {"losses": weighted mean of each epoch, "steps", "seconds", "pairs_per_second",
      "out_of_time"}.
    """
    total = pairs.query_items.num_pairs + pairs.item_items.num_pairs
    per_epoch = sum(p.num_pairs for p in _epoch_pairs(pairs, config, None))
    phase = TrainingPhase(
        encoder.trainable_variables,
        num_steps=config.contrastive_epochs
        * max(1, round(per_epoch / config.contrastive_batch)),
        learning_rate=config.learning_rate,
        warmup_share=config.warmup_share,
        weight_decay=config.weight_decay,
        seconds=seconds,
    )
    rng = np.random.default_rng(config.seed)
    batches = _Batches(query_ids, item_ids, pairs, config, hard_negatives, rng)
    step = _step(encoder, phase, config.temperature)
    losses: list[float] = []
    seen = 0
    for epoch in range(config.contrastive_epochs if total else 0):
        sums, count = 0.0, 0
        for batch in batches.epoch():
            if phase.out_of_time:
                break
            phase.next_step()
            size = len(batch[0])
            sums += float(step(*batch)) * size
            count += size
        seen += count
        if count:
            losses.append(sums / count)
            note = f"contrastive loss {losses[-1]:.3f}"
            progress.advance(STEP, epoch + 1, config.contrastive_epochs, note)
    return {
        "losses": [round(loss, 4) for loss in losses],
        "steps": phase.steps,
        "seconds": round(phase.seconds, 2),
        "pairs_per_second": round(seen / max(phase.seconds, 1e-9), 1),
        "out_of_time": phase.out_of_time,
    }


def contrastive_loss(
    left: tf.Tensor,
    right: tf.Tensor,
    forbidden: tf.Tensor,
    weights: tf.Tensor,
    temperature: float,
) -> tf.Tensor:
    """Scalar softmax loss in both directions (van den Oord et al., 2018, InfoNCE).

    Half the mean over i of w_i · −log softmax_j(l_i · r_j / temperature)[i], plus half
    of the same with left and right exchanged, over the batch's own right sides only.

    Args:
      left: [B, d] float32, norm 1.
      right: [B + H, d] float32, norm 1; row i belongs to left i, the last H are hard
        negatives.
      forbidden: [B, B + H] bool: belongs together too (an accidental hit), so it is
        no negative. The diagonal is ignored.
      weights: [B] float32.
    """
    size = tf.shape(left)[0]
    labels = tf.range(size)
    own = tf.one_hot(labels, tf.shape(right)[0], on_value=True, off_value=False)
    logits = tf.matmul(left, right, transpose_b=True) / temperature
    logits = tf.where(forbidden & ~own, _FORBIDDEN, logits)
    softmax = tf.nn.sparse_softmax_cross_entropy_with_logits
    forward = softmax(labels, logits)
    backward = softmax(labels, tf.transpose(logits[:, :size]))
    return tf.reduce_mean(weights * (forward + backward)) / 2.0


def _step(encoder: TextEncoder, phase: TrainingPhase, temperature: float) -> Any:
    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None], tf.bool),
            tf.TensorSpec([None], tf.float32),
        ]
    )
    def step(
        left: tf.Tensor, right: tf.Tensor, forbidden: tf.Tensor, weights: tf.Tensor
    ) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = contrastive_loss(
                encoder(left, training=True),
                encoder(right, training=True),
                forbidden,
                weights,
                temperature,
            )
        phase.apply(tape, loss)
        return loss

    return step


def _epoch_pairs(
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


class _Batches:
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
        queries, items = pairs.query_items, pairs.item_items
        self._query_hits = np.unique(self._codes(queries.left, queries.right))
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
        queries, items = _epoch_pairs(self._pairs, self._config, self._rng)
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
