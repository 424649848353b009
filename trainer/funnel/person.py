"""What a batch of histories says, before any other item is looked at."""

from __future__ import annotations

import tensorflow as tf

from core.config import ShopConfig
from core.config.funnel import FunnelConfig
from trainer.funnel import features as feature_blocks
from trainer.funnel import history_features
from trainer.funnel.constants import WEIGHED, TableConstants
from trainer.funnel.history import canonical_history
from trainer.funnel.scores import group_maxima, group_sums, pick, weighted_sum
from trainer.funnel.state import Person
from trainer.moment import Moment


def read_person(
    moment: Moment,
    query_embeddings: tf.Tensor | None,
    constants: TableConstants,
    shop: ShopConfig,
    config: FunnelConfig,
    *,
    visit_s: int,
) -> Person:
    """The histories of a batch of moments in order, summed up by item and by facet.

    Args:
      query_embeddings: [B, d] float32 of the retriever; None: without the tower.
      visit_s: events of so many seconds are one visit.
    """
    n = constants.num_items
    history = canonical_history(
        moment,
        num_items=n,
        num_events=len(shop.event_types),
        target=shop.event_types.index(shop.target_event),
        visit_s=visit_s,
    )
    slot_of = history_features.item_slots(history, n)
    slots = history_features.slots_at(slot_of, history.rows, n)
    size = tf.shape(slots)[1] + 1
    columns = history_features.history_columns(history, shop, config)
    sums = group_sums(columns[0], slots, size)
    flat = tf.reshape(sums, [-1, sums.shape[2]])
    weights = history_features.history_weights(slots, pick(flat, slots, size), config)
    factors = tf.gather(constants.factors_in, history.rows)
    return Person(
        history=history,
        slot_of=slot_of,
        sums=sums,
        maxima=group_maxima(columns[1], slots, size),
        weights=weights,
        own=history_features.own_scores(columns[0], config),
        taken=feature_blocks.facet_shares(history, constants, config),
        factors=weighted_sum(weights[WEIGHED], factors),
        titles=feature_blocks.title_profile(history, constants, config),
        query=query_embeddings,
    )
