"""Learns the first stage's weights from what people did after training cut-offs."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tensorflow as tf
import tf_keras

from core.room import kept_moments
from trainer.funnel.drawn_items import draw_items
from trainer.funnel.encoded_moments import (
    EncodedMoments,
    encode_moments,
    happened,
    moment_batch,
)
from trainer.funnel.funnel import CandidateFunnel
from trainer.funnel.fusion import FusionWeights
from trainer.traced import traced

_BATCH = 32
_LEARNING_RATE = 0.05


@dataclasses.dataclass(frozen=True, kw_only=True)
class FusionBatch:
    """Signals of W items for each of a few moments, and what happened."""

    shares: npt.NDArray[np.float16]  # [B, S, W] in [0, 1]
    shared: npt.NDArray[np.float32]  # [P, W], or [B, P, W], in [0, 1]
    labels: npt.NDArray[np.float32]  # [B, W] > 0 for each target
    # [B, W] or [W] logarithms of how many items each stands for.
    offsets: npt.NDArray[np.float32]


def fusion_batches(
    funnel: CandidateFunnel, moments: pa.Table, item_ids: npt.NDArray[np.str_]
) -> list[FusionBatch]:
    """Batches of a sample of the moments, all at the cut-off of the funnel's tables."""
    encoded = encode_moments(moments, item_ids, funnel.shop)
    config = funnel.config
    # Fewer moments of a bigger catalogue say as much: each ranks the whole catalogue.
    names = len(funnel.constants.signal_names)
    room = kept_moments(
        config.fusion_cutoffs * config.fusion_moments, funnel.num_weighed, names
    )
    count = min(
        len(encoded),
        config.fusion_moments,
        max(room // config.fusion_cutoffs, _BATCH),
    )
    rng = np.random.default_rng(funnel.config.seed)
    chosen = rng.choice(len(encoded), count, replace=False)
    lengths = np.diff(encoded.history[0])
    chosen = chosen[np.argsort(lengths[chosen], kind="stable")]
    return [
        _batch(funnel, encoded, chosen[start : start + _BATCH], rng)
        for start in range(0, count, _BATCH)
    ]


def fit_fusion(
    batches: list[FusionBatch],
    start: FusionWeights,
    *,
    epochs: int,
    l2: float,
    seed: int,
) -> FusionWeights:
    """The weights that put what happened on top of the whole catalogue.

    Minimizes the mean over moments of the softmax cross-entropy between z and the
    moment's targets (shares by label), plus `l2` times the squared weights, with Adam
    from `start`, which comes back where no batch has a target.
    """
    batches = [batch for batch in batches if batch.labels.any()]
    if not batches:
        return start
    weights = tf.Variable([start.linear, start.root], dtype=tf.float32)
    optimizer = tf_keras.optimizers.Adam(_LEARNING_RATE)
    count = batches[0].shares.shape[1]

    def step(
        shares: tf.Tensor, shared: tf.Tensor, labels: tf.Tensor, offsets: tf.Tensor
    ) -> None:
        shares = tf.cast(shares, tf.float32)
        with tf.GradientTape() as tape:
            scores = _weighted(weights[:, :count], shares)
            if shared.shape[-2]:
                scores += _weighted(weights[:, count:], shared)
            loss = _cross_entropy(scores + offsets, labels)
            loss += l2 * tf.reduce_sum(tf.square(weights))
        optimizer.apply_gradients([(tape.gradient(loss, weights), weights)])

    compiled = traced(step, reduce_retracing=True)
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        for i in rng.permutation(len(batches)):
            batch = batches[i]
            compiled(batch.shares, batch.shared, batch.labels, batch.offsets)
    linear, root = weights.numpy().tolist()
    return FusionWeights(names=start.names, linear=tuple(linear), root=tuple(root))


def _weighted(weights: tf.Tensor, shares: tf.Tensor) -> tf.Tensor:
    """[..., n] sum over signals of weights [2, S], shares [..., S, n] and roots."""
    linear = tf.einsum("s,...sn->...n", weights[0], shares)
    return linear + tf.einsum("s,...sn->...n", weights[1], tf.sqrt(shares))


def _cross_entropy(scores: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Mean over the moments with a target; scores and labels [B, W]."""
    targets = tf.reduce_sum(labels, axis=1)
    logs = tf.reduce_sum(tf.nn.log_softmax(scores, axis=1) * labels, axis=1)
    some = tf.cast(targets > 0, tf.float32)
    each = tf.math.divide_no_nan(-logs, targets)
    return tf.math.divide_no_nan(tf.reduce_sum(each), tf.reduce_sum(some))


def _batch(
    funnel: CandidateFunnel,
    encoded: EncodedMoments,
    numbers: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> FusionBatch:
    state = funnel.state(moment_batch(encoded, numbers, funnel.num_items))
    num_events = len(funnel.shop.event_types)
    labels = happened(encoded, numbers, funnel.num_items, num_events)
    labels = labels[:, :, funnel.target]
    offsets = np.zeros(labels.shape[1], np.float32)
    weighed = funnel.weighed(state)
    if weighed is not None:
        rows, offsets = draw_items(weighed.numpy(), labels, rng)
        state = funnel.at(state, tf.constant(rows))
        labels = np.take_along_axis(labels, rows, axis=1)
    shares, shared = funnel.shares(state)
    return FusionBatch(
        shares=shares.numpy().astype(np.float16),
        shared=shared.numpy(),
        labels=labels,
        offsets=offsets,
    )
