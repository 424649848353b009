"""What the ranker sees of a person and a candidate, each candidate on its own.

Most of it does not differ between candidates as such: what a history says of an item is
computed once per slot of the history and gathered, blocks of columns at a time.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from core.config import ShopConfig
from core.config.funnel import FunnelConfig
from trainer.funnel.constants import TASTES, TableConstants
from trainer.funnel.history import History
from trainer.funnel.history_features import history_block, slots_at
from trainer.funnel.integer_tables import integers
from trainer.funnel.scores import pick, segment_ids, weighted_sum
from trainer.funnel.sources import OWN
from trainer.funnel.state import FunnelState


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
    person = state.person
    names, table = history_block(person, constants, shop, config)
    slots = slots_at(person.slot_of, rows, constants.num_items)
    flat = tf.reshape(table, [-1, len(names)])
    return [
        Block(names, pick(flat, slots, tf.shape(table)[1])),
        _signals(rows, state, constants),
        _against(rows, person.history, constants),
        Block(constants.static_names, tf.gather(constants.static, rows)),
    ]


def _signals(rows: tf.Tensor, state: FunnelState, constants: TableConstants) -> Block:
    """Each source's score and its share of the person's best; likenesses.

    No rank among the candidates: beside the shares it added nothing (docs/funnel.md),
    and sorting every source took a seventh of a page's time.
    """
    # What was bought before is told by the history's own columns.
    own = constants.sources.index(OWN)
    names = [source for source in constants.sources if source != OWN]
    signals = state.picked(state.columns(rows, constants.num_items))  # [B, S, C]
    best = tf.concat([state.best[:, :own], state.best[:, own + 1 : -1]], axis=1)
    scores = tf.concat([signals[:, :own], signals[:, own + 1 : -1]], axis=1)
    values = [
        tf.sqrt(scores),
        tf.math.divide_no_nan(scores, best[:, :, None]),
        signals[:, -1:],  # the title likeness, a share as it is
        facets_at(rows, state.person.taken, constants),
    ]
    columns = [f"{s}_{kind}" for kind in ("score", "share") for s in names]
    columns += constants.signal_names[len(constants.sources) :]
    return Block(tuple(columns), tf.transpose(tf.concat(values, axis=1), [0, 2, 1]))


def title_profile(
    history: History, constants: TableConstants, config: FunnelConfig
) -> tf.Tensor:
    """[B, t] the mean of the history's titles, norm 1; 0 without any."""
    # A gather straight from a variable makes each later read of it a copy.
    titles = tf.gather(constants.titles.read_value(), history.rows)
    profile = weighted_sum(_lately(history, config), titles)
    return tf.math.l2_normalize(profile, axis=-1, epsilon=1e-6)


def facet_shares(
    history: History, constants: TableConstants, config: FunnelConfig
) -> tf.Tensor:
    """[B, V] share of the history with each category, brand and price band."""
    count = len(constants.facet_names)
    weights = _lately(history, config)
    ids = _facets(history.rows, constants)  # [B, H, facets]
    places = segment_ids(ids, constants.facet_size)
    batch = tf.shape(history.rows)[0]
    taken = tf.math.unsorted_segment_sum(
        tf.repeat(tf.reshape(weights, [-1]), count),
        tf.reshape(places, [-1]),
        batch * constants.facet_size,
    )
    total = tf.reduce_sum(weights, axis=1, keepdims=True)
    taken = tf.reshape(taken, [-1, constants.facet_size])
    return tf.math.divide_no_nan(taken, total)


def facets_at(
    rows: tf.Tensor, taken: tf.Tensor, constants: TableConstants
) -> tf.Tensor:
    """[B, facets, C] share of the history with each item's value of each facet.

    Args:
      taken: [B, V] of `facet_shares`.
    """
    values = tf.transpose(_facets(rows, constants), [0, 2, 1])
    return pick(tf.reshape(taken, [-1]), values, constants.facet_size)


def _facets(rows: tf.Tensor, constants: TableConstants) -> tf.Tensor:
    """[B, K, facets] int32: the values of the items at rows [B, K]."""
    # Integers before the gather: of uint32 it has a GPU kernel on variables alone.
    combinations = tf.gather(integers(constants.facets_of), rows)
    return tf.gather(integers(constants.facets), combinations)


def _lately(history: History, config: FunnelConfig) -> tf.Tensor:
    """[B, H] weights of the history's events, decayed by the longest scale."""
    return history.fresh * tf.exp(-history.ages / config.decay_days[-1])


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
