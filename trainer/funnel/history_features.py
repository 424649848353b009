"""A history by item: what happened with each, how often, how lately."""

from __future__ import annotations

import tensorflow as tf

from core.config import ShopConfig
from core.config.funnel import FunnelConfig
from trainer.funnel.constants import ONCE, RECENT, WEIGHED, TableConstants
from trainer.funnel.history import History
from trainer.funnel.item_features import NEVER_DAYS
from trainer.funnel.scores import pick, segment_ids
from trainer.funnel.state import Person

LONG_AGO = 200.0  # visits since, for what was never bought


def item_slots(history: History, num_items: int) -> tf.Tensor:
    """[B * (n + 1)] int32: one slot of each item's, from 1; none where below."""
    shape = tf.shape(history.rows)
    numbers = tf.range(1, shape[1] + 1) * tf.cast(history.valid, tf.int32)
    ids = segment_ids(history.rows, num_items + 1)
    return tf.math.unsorted_segment_max(
        tf.reshape(numbers, [-1]), tf.reshape(ids, [-1]), shape[0] * (num_items + 1)
    )


def slots_at(slot_of: tf.Tensor, rows: tf.Tensor, num_items: int) -> tf.Tensor:
    """[B, C] int32: the slot of each item of rows [B, C]; 0 = none."""
    return tf.maximum(pick(slot_of, rows, num_items + 1), 0)


def history_columns(
    history: History, shop: ShopConfig, config: FunnelConfig
) -> tuple[tf.Tensor, tf.Tensor]:
    """What is summed and maximized per item: [B, H, K] and [B, H, L] float32.

    Sums: target visits; their decayed counts, one per `decay_days`; interest (all
    events by weight, decayed by the first scale); counts, then decayed counts of the
    other event types; all events, decayed by the last scale. Maxima: -age of the last
    target event; age of the first; -its visit number (1 = the last visit); then -age
    of each other type.
    """
    ages = history.ages[..., None]
    decays = tf.exp(-ages / tf.constant(config.decay_days, tf.float32))
    first = decays[..., :1]
    target, fresh = history.target[..., None], history.fresh[..., None]
    weights = tf.constant(_relative(shop), tf.float32)
    weights = tf.gather(weights, tf.maximum(history.events, 0))[..., None]
    kinds = _kinds(history, shop)
    counts = fresh * kinds
    sums = [target, target * decays, fresh * first * weights]
    sums += [counts, counts * first, fresh * decays[..., -1:]]
    at_target = _is_target(history, shop)
    visit = tf.cumsum(history.visit * at_target, axis=1)
    of_target = tf.stack([-history.ages, history.ages, -visit], axis=-1)
    of_target = tf.where(at_target[..., None] > 0, of_target, -NEVER_DAYS)
    maxima = [of_target, tf.where(kinds > 0, -ages, -NEVER_DAYS)]
    return tf.concat(sums, axis=-1), tf.concat(maxima, axis=-1)


def history_weights(
    slots: tf.Tensor, at: tf.Tensor, config: FunnelConfig
) -> dict[str, tf.Tensor]:
    """Weights [B, H] of each distinct item, at the one slot that stands for it.

    once: 1 per bought item; recent: log(1 + decayed visits), of bought items too;
    interest: log(1 + decayed count of all events), whatever their type.

    Args:
      slots: [B, H] the slot of each one's item, from 1; 0 = none.
      at: [B, H, K] the sums of each slot's item.
    """
    decays = len(config.decay_days)
    stands = tf.cast(slots == tf.range(1, tf.shape(slots)[1] + 1), tf.float32)
    bought = stands * tf.cast(at[..., 0] > 0, tf.float32)
    return {
        ONCE: bought,
        RECENT: bought * tf.math.log1p(at[..., decays]),
        WEIGHED: stands * tf.math.log1p(at[..., -1]),
    }


def slots_that_count(
    history: History,
    weights: dict[str, tf.Tensor],
    kind: str,
    *,
    static_shapes: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Flat places [V] of the slots whose neighbours are summed by a kind; rows [V].

    Only the slots that count, whatever the longest history of the batch, unless shapes
    are to be static: the others' weights are 0.

    Args:
      weights: of `history_weights`.
      kind: as it names them.
    """
    rows = tf.reshape(history.rows, [-1])
    if static_shapes:
        return tf.range(tf.size(rows)), rows
    counts = weights[WEIGHED if kind == WEIGHED else ONCE] > 0
    # By flat places: GatherNd of int32 has a GPU kernel in some versions only.
    place = tf.cast(tf.where(tf.reshape(counts, [-1]))[:, 0], tf.int32)
    return place, tf.gather(rows, place)


def own_scores(columns: tf.Tensor, config: FunnelConfig) -> tf.Tensor:
    """[B, H] float32: how much each slot speaks for its item, to be summed by item.

    Args:
      columns: [B, H, K] what is summed per item.
    """
    decays = len(config.decay_days)
    weights = [0.0] * columns.shape[2]
    weights[0], weights[decays], weights[decays + 1] = 0.01, 1.0, 0.1
    return tf.reduce_sum(columns * tf.constant(weights), axis=2)


def history_block(
    person: Person,
    constants: TableConstants,
    shop: ShopConfig,
    config: FunnelConfig,
) -> tuple[tuple[str, ...], tf.Tensor]:
    """Features of the person, and of what happened with each slot's item.

    Returns:
      names of F features and [B, H + 1, F] float32; place 0 is an item without history.
    """
    sums, maxima, history = person.sums, person.maxima, person.history
    pad = tf.fill([tf.shape(history.rows)[0], 1], constants.num_items)
    item_gap = tf.gather(constants.repeat_gaps, tf.concat([pad, history.rows], axis=1))
    count = sums[..., 0]
    bought = count > 0
    owned = tf.cast(bought, tf.float32)
    since = tf.where(bought, -maxima[..., 0], NEVER_DAYS)
    first = tf.where(bought, maxima[..., 1], NEVER_DAYS)
    own_gap = tf.math.divide_no_nan(first - since, count - 1.0)
    gap = tf.where(count > 1, own_gap, item_gap) * owned
    activity, visits, tenure = _activity(person, shop)
    ratios = {
        "owned": owned,
        "visit_share": tf.math.divide_no_nan(count, visits),
        "active_share": tf.math.divide_no_nan(first - since, tenure + 1.0) * owned,
    }
    logs = {
        "since": since,
        "first": first,
        "gap": gap,
        "due": tf.math.divide_no_nan(since, gap + 1.0) * owned,
        "due_own": tf.math.divide_no_nan(since, own_gap + 1.0) * owned,
        "visits_since": tf.where(bought, -maxima[..., 2], LONG_AGO),
    }
    names, counted = _counted(sums, maxima, shop, config)
    logged = tf.concat([tf.stack(list(logs.values()), axis=-1), counted], axis=-1)
    shape = tf.concat([tf.shape(count), [len(activity)]], axis=0)
    values = tf.stack(list(activity.values()), axis=-1)[:, None, :]
    parts = [
        tf.stack(list(ratios.values()), axis=-1),
        tf.math.log1p(logged),
        tf.broadcast_to(values, shape),
    ]
    return (*ratios, *logs, *names, *activity), tf.concat(parts, axis=-1)


def _counted(
    sums: tf.Tensor, maxima: tf.Tensor, shop: ShopConfig, config: FunnelConfig
) -> tuple[list[str], tf.Tensor]:
    """Counts as they stand in the sums, and the ages of the other event types."""
    names = ["count", *(f"decayed_{days:g}d" for days in config.decay_days)]
    others = [shop.event_types[kind] for kind in _others(shop)]
    if not others:
        return names, sums[..., : len(names)]
    start = len(names) + 1
    end = start + 2 * len(others)
    names += ["interest_in", *(f"{name}_count" for name in others)]
    names += [f"{name}_decayed" for name in others]
    seen = sums[..., start : start + len(others)] > 0
    ages = tf.where(seen, tf.maximum(-maxima[..., 3:], 0.0), NEVER_DAYS)
    names += [f"{name}_since" for name in others]
    return names, tf.concat([sums[..., :end], ages], axis=-1)


def _activity(
    person: Person, shop: ShopConfig
) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
    """Name -> [B]: activity of the person; visits and tenure in days [B, 1].

    No day of the week: cut-offs lie whole weeks apart, so training sees one day only.
    """
    history = person.history
    of_target = _is_target(history, shop)
    visits = tf.reduce_sum(history.visit * of_target, axis=1)
    bought = tf.reduce_sum(history.target, axis=1)
    distinct = tf.reduce_sum(person.weights[ONCE], axis=1)
    last = tf.reduce_min(tf.where(of_target > 0, history.ages, NEVER_DAYS), axis=1)
    tenure = tf.reduce_max(history.ages * of_target, axis=1)
    gap = tf.math.divide_no_nan(tenure - last, visits - 1.0)
    logs = {
        "visits": visits,
        "bought": bought,
        "per_visit": tf.math.divide_no_nan(bought, visits),
        "last_visit": tf.where(visits > 0, last, NEVER_DAYS),
        "tenure": tenure,
        "visit_gap": tf.where(visits > 1, gap, 0.0),
    }
    events = tf.reduce_sum(history.fresh[..., None] * _kinds(history, shop), axis=1)
    names = [f"{shop.event_types[kind]}_events" for kind in _others(shop)]
    logs |= dict(zip(names, tf.unstack(events, axis=1), strict=True))
    values = tf.unstack(tf.math.log1p(tf.stack(list(logs.values()))))
    columns = dict(zip(logs, values, strict=True))
    columns["distinct_share"] = tf.math.divide_no_nan(distinct, bought)
    return columns, visits[:, None], tenure[:, None]


def _is_target(history: History, shop: ShopConfig) -> tf.Tensor:
    target = shop.event_types.index(shop.target_event)
    return tf.cast(history.events == target, tf.float32)


def _kinds(history: History, shop: ShopConfig) -> tf.Tensor:
    """[B, H, types beside the target] 1 where the event is of that type."""
    kinds = tf.constant(_others(shop), tf.int32)
    return tf.cast(history.events[..., None] == kinds, tf.float32)


def _others(shop: ShopConfig) -> list[int]:
    """Event types beside the target."""
    target = shop.event_types.index(shop.target_event)
    return [k for k in range(len(shop.event_types)) if k != target]


def _relative(shop: ShopConfig) -> list[float]:
    """Event weights as shares of the heaviest, at least a tenth."""
    top = max(shop.event_weights)
    return [max(w / top, 0.1) for w in shop.event_weights]
