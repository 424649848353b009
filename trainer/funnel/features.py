"""What the ranker sees of a person and a candidate, each candidate on its own.

Most of it does not differ between candidates as such: what a history says of an item is
computed once per slot of the history and gathered, blocks of columns at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import tensorflow as tf

from core.config import ShopConfig
from core.config.funnel import FunnelConfig
from trainer.funnel.constants import LINKED, TASTES, TableConstants
from trainer.funnel.history import History
from trainer.funnel.history_features import history_block
from trainer.funnel.scores import group_sums, pick, pick_rows

if TYPE_CHECKING:
    from trainer.funnel.funnel import FunnelState

SLACK = 1.0 + 1e-5  # scores nearer than this are ties, whatever the order of sums


class Block(NamedTuple):
    """Columns of the ranker's input that are made together."""

    names: tuple[str, ...]
    values: tf.Tensor  # [B, C, len(names)] float32


def candidate_blocks(
    rows: tf.Tensor,
    state: FunnelState,
    constants: TableConstants,
    shop: ShopConfig,
    config: FunnelConfig,
) -> list[Block]:
    """All features of candidates, block by block.

    Args:
      rows: [B, C] int32 catalogue rows; n pads.
    """
    names, table = history_block(state, constants, shop, config)
    width = tf.shape(table)[1]
    slots = pick(state.slot_of, rows, constants.num_items + 1)
    flat = tf.reshape(table, [-1, len(names)])
    return [
        Block(names, pick(flat, slots, width)),
        _sources(rows, state, constants),
        *_facet_shares(rows, state.history, constants, config),
        _against(rows, state.history, constants),
        Block(constants.static_names, tf.gather(constants.static, rows)),
    ]


def _sources(rows: tf.Tensor, state: FunnelState, constants: TableConstants) -> Block:
    """Each source's score, its share of the person's best, and its rank; links."""
    sources = constants.sources[:-1]  # `own` says what the history's own block says
    count, depth = len(sources), state.best_values.shape[2]
    scores = tf.maximum(pick_rows(state.scores, rows, count), 0.0)  # [B, S, C]
    best = state.best_values[:, :count]
    shares = tf.math.divide_no_nan(scores, best[:, :, :1])
    ranks = tf.searchsorted(
        tf.reshape(-best, [-1, depth]),
        tf.reshape(scores * -SLACK, [-1, tf.shape(rows)[1]]),
        side="left",
    )
    ranks = tf.math.log1p(tf.cast(tf.reshape(ranks, tf.shape(scores)), tf.float32))
    extra = pick_rows(state.extra, rows, len(LINKED) + 1)
    values = tf.concat([tf.sqrt(scores), shares, ranks, extra], axis=1)
    names = [f"{s}_{kind}" for kind in ("score", "share", "rank") for s in sources]
    names += [*(f"{name}_link" for name in LINKED), "title_likeness"]
    return Block(tuple(names), tf.transpose(values, [0, 2, 1]))


def title_likeness(
    history: History, constants: TableConstants, config: FunnelConfig
) -> tf.Tensor:
    """[B, n + 1] cosine of each title with the mean title of what the person takes."""
    weights = history.fresh * tf.exp(-history.ages / config.decay_days[-1])
    titles = tf.gather(constants.titles, history.rows)
    profile = tf.matmul(weights[:, None, :], titles)[:, 0]
    profile = tf.math.l2_normalize(profile, axis=-1, epsilon=1e-6)
    return tf.matmul(profile, constants.titles, transpose_b=True)


def _facet_shares(
    rows: tf.Tensor, history: History, constants: TableConstants, config: FunnelConfig
) -> list[Block]:
    """Share of the history with the item's category, brand and price band."""
    count = len(constants.facet_names)
    if not count:
        return []
    weights = history.fresh * tf.exp(-history.ages / config.decay_days[-1])
    ids = tf.gather(constants.facets, history.rows)  # [B, H, facets]
    flat = tf.reshape(ids, [-1, tf.shape(ids)[1] * count])
    taken = group_sums(
        tf.repeat(weights, count, axis=1)[:, :, None], flat, constants.facet_size
    )
    found = tf.gather(constants.facets, rows)
    shares = pick(tf.reshape(taken, [-1]), found, constants.facet_size)
    total = tf.reduce_sum(weights, axis=1)[:, None, None]
    names = tuple(f"{name}_share" for name in constants.facet_names)
    return [Block(names, tf.math.divide_no_nan(shares, total))]


def _against(rows: tf.Tensor, history: History, constants: TableConstants) -> Block:
    """The item's price and popularity, age, trend against the person's means."""
    bought = [history.target] * len(TASTES)
    weights = tf.stack([history.fresh, *bought], axis=-1)
    taken = tf.gather(constants.compared, history.rows) * weights
    mean = tf.math.divide_no_nan(
        tf.reduce_sum(taken, axis=1), tf.reduce_sum(weights, axis=1)
    )
    against = tf.gather(constants.compared, rows) - mean[:, None, :]
    names = ("price_against", *(f"{name}_against" for name in TASTES))
    distance = tf.abs(against[..., :1])
    return Block((*names, "price_distance"), tf.concat([against, distance], axis=-1))
