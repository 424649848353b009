"""What the ranker sees of a person and a candidate, each candidate on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf

from core.config import ShopConfig
from core.config.funnel import FunnelConfig
from trainer.funnel.constants import TableConstants
from trainer.funnel.history import History
from trainer.funnel.scores import dense_sum, pick

if TYPE_CHECKING:
    from trainer.funnel.funnel import FunnelState

Columns = dict[str, tf.Tensor]

NEVER_DAYS = 3_650.0
SLACK = 1.0 + 1e-5  # scores nearer than this are ties, whatever the order of sums
# Item features whose mean over the history tells a taste (for new things, for hits).
TASTES = ("item_buyers_ever", "item_age", "item_trend_30d")


def history_columns(
    history: History, shop: ShopConfig, config: FunnelConfig
) -> tuple[tf.Tensor, tf.Tensor]:
    """What is summed and maximized per item: [B, H, K] and [B, H, L] float32.

    Sums: target visits; their decayed counts, one per `decay_days`; interest (all
    events by weight, decayed by the first scale); events; then, for each other event
    type, its count and decayed count. Maxima: -age of the last target event; age of
    the first; -its visit number (1 = the last visit); then -age of each other type.
    """
    decays = [tf.exp(-history.ages / days) for days in config.decay_days]
    weights = tf.constant(_relative(shop), tf.float32)
    interest = (
        history.fresh * decays[0] * tf.gather(weights, tf.maximum(history.events, 0))
    )
    sums = [history.target, *(history.target * d for d in decays)]
    sums += [interest, history.fresh]
    visit = tf.cumsum(history.visit * _is_kind(history, _target(shop)), axis=1)
    at_target = _is_kind(history, _target(shop)) > 0
    maxima = [
        tf.where(at_target, value, -NEVER_DAYS)
        for value in (-history.ages, history.ages, -visit)
    ]
    for kind in _others(shop):
        of_kind = _is_kind(history, kind)
        sums += [history.fresh * of_kind, history.fresh * of_kind * decays[0]]
        maxima.append(tf.where(of_kind > 0, -history.ages, -NEVER_DAYS))
    return tf.stack(sums, axis=-1), tf.stack(maxima, axis=-1)


def history_weights(
    history: History,
    sums: tf.Tensor,
    shop: ShopConfig,
    config: FunnelConfig,
    num_items: int,
) -> dict[str, tf.Tensor]:
    """Weights [B, H] that add up to one value per distinct item; and `own` [B, n + 1].

    once: 1 per bought item; recent: log(1 + decayed visits); interest: log(1 + decayed
    weight of all events).
    """
    at = pick(sums, history.rows)
    count, slow = at[..., 0], at[..., len(config.decay_days)]
    interest = at[..., len(config.decay_days) + 1]
    events = at[..., len(config.decay_days) + 2]
    share = tf.math.divide_no_nan(history.target, count)
    own = sums[..., len(config.decay_days)] + 0.01 * sums[..., 0]
    own += 0.1 * sums[..., len(config.decay_days) + 1]
    return {
        "once": share,
        "recent": share * tf.math.log1p(slow),
        "interest": tf.math.divide_no_nan(history.fresh, events)
        * tf.math.log1p(interest),
        "own": own,
    }


def candidate_features(
    rows: tf.Tensor,
    state: FunnelState,
    constants: TableConstants,
    shop: ShopConfig,
    config: FunnelConfig,
) -> Columns:
    """Name -> [B, C] float32, in the order of the ranker's columns."""
    person = _person(state, shop)
    repeats = _repeats(rows, state, person, constants, shop, config)
    columns = {
        **repeats,
        **_source_scores(rows, state),
        **_content(rows, state.history, constants, config),
        **_prices(rows, state.history, constants),
        **_static(rows, constants),
        **_tastes(rows, state.history, constants),
    }
    like = tf.zeros_like(rows, tf.float32)
    for name, values in person.items():
        columns[name] = like + values[:, None]
    return columns


def _repeats(
    rows: tf.Tensor,
    state: FunnelState,
    person: Columns,
    constants: TableConstants,
    shop: ShopConfig,
    config: FunnelConfig,
) -> Columns:
    """The person's own history with the item: how often, how lately, how regularly."""
    sums, maxima = pick(state.sums, rows), pick(state.maxima, rows)
    count = sums[..., 0]
    owned = tf.cast(count > 0, tf.float32)
    since = tf.where(count > 0, -maxima[..., 0], NEVER_DAYS)
    first = tf.where(count > 0, maxima[..., 1], NEVER_DAYS)
    own_gap = tf.math.divide_no_nan(first - since, count - 1.0)
    item_gap = tf.gather(constants.repeat_gaps, rows)
    gap = tf.where(count > 1, own_gap, item_gap) * owned
    visits = tf.exp(person["visits"])[:, None] - 1.0
    columns = {
        "owned": owned,
        "count": tf.math.log1p(count),
        "visit_share": tf.math.divide_no_nan(count, visits),
        "since": tf.math.log1p(since),
        "first": tf.math.log1p(first),
        "gap": tf.math.log1p(gap),
        "due": tf.math.log1p(tf.math.divide_no_nan(since, gap + 1.0)) * owned,
        "due_own": tf.math.log1p(tf.math.divide_no_nan(since, own_gap + 1.0)) * owned,
        "visits_since": tf.math.log1p(tf.where(count > 0, -maxima[..., 2], 200.0)),
        "active_share": tf.math.divide_no_nan(
            first - since, tf.exp(person["tenure"])[:, None]
        )
        * owned,
    }
    for i, days in enumerate(config.decay_days):
        columns[f"decayed_{days:g}d"] = tf.math.log1p(sums[..., 1 + i])
    at = len(config.decay_days) + 1
    others = _others(shop)
    if others:
        columns["interest_in"] = tf.math.log1p(sums[..., at])
    for i, kind in enumerate(others):
        name, column = shop.event_types[kind], at + 2 + 2 * i
        age = tf.maximum(-maxima[..., 3 + i], 0.0)
        seen = sums[..., column] > 0
        columns[f"{name}_count"] = tf.math.log1p(sums[..., column])
        columns[f"{name}_decayed"] = tf.math.log1p(sums[..., column + 1])
        columns[f"{name}_since"] = tf.math.log1p(tf.where(seen, age, NEVER_DAYS))
    return columns


def _source_scores(rows: tf.Tensor, state: FunnelState) -> Columns:
    """Each source's score, its share of the person's best, and its rank."""
    columns: Columns = {}
    for name, dense in state.scores.items():
        if name == "own":
            continue
        score = tf.maximum(pick(dense, rows), 0.0)
        best = tf.maximum(state.best[name].values, 0.0)
        columns[f"{name}_score"] = tf.sqrt(score)
        columns[f"{name}_share"] = tf.math.divide_no_nan(score, best[:, :1])
        rank = tf.searchsorted(-best, -score * SLACK, side="left")
        columns[f"{name}_rank"] = tf.math.log1p(tf.cast(rank, tf.float32))
    for name, dense in state.links.items():
        columns[f"{name}_link"] = pick(dense, rows)
    return columns


def _content(
    rows: tf.Tensor, history: History, constants: TableConstants, config: FunnelConfig
) -> Columns:
    """Likeness of title, category, brand and price band to what the person takes."""
    weights = history.fresh * tf.exp(-history.ages / config.decay_days[-1])
    titles = tf.gather(constants.titles, history.rows)
    profile = tf.reduce_sum(titles * weights[..., None], axis=1)
    profile = tf.math.l2_normalize(profile, axis=-1, epsilon=1e-6)
    likeness = tf.einsum("bcd,bd->bc", tf.gather(constants.titles, rows), profile)
    columns = {"title_likeness": likeness}
    total = tf.reduce_sum(weights, axis=1)[:, None]
    for name, facet in constants.facets.items():
        ids = tf.gather(facet, history.rows)
        size = constants.facet_sizes[name]
        taken = dense_sum(weights[..., None], ids, size)
        share = pick(taken, tf.gather(facet, rows))[..., 0]
        columns[f"{name}_share"] = tf.math.divide_no_nan(share, total)
    return columns


def _prices(rows: tf.Tensor, history: History, constants: TableConstants) -> Columns:
    """The item's price against the person's mean, in spreads of the catalogue."""
    taken = tf.gather(constants.prices, history.rows)
    mean = tf.math.divide_no_nan(
        tf.reduce_sum(taken * history.fresh, axis=1),
        tf.reduce_sum(history.fresh, axis=1),
    )
    against = tf.gather(constants.prices, rows) - mean[:, None]
    return {"price_against": against, "price_distance": tf.abs(against)}


def _static(rows: tf.Tensor, constants: TableConstants) -> Columns:
    values = tf.gather(constants.static, rows)
    return {name: values[..., i] for i, name in enumerate(constants.static_names)}


def _tastes(rows: tf.Tensor, history: History, constants: TableConstants) -> Columns:
    """Item features against their mean over the person's bought items."""
    places = [constants.static_names.index(name) for name in TASTES]
    values = tf.gather(constants.static, places, axis=1)
    total = tf.reduce_sum(history.target, axis=1)[:, None]
    taken = tf.gather(values, history.rows) * history.target[..., None]
    mean = tf.math.divide_no_nan(tf.reduce_sum(taken, axis=1), total)
    against = tf.gather(values, rows) - mean[:, None, :]
    return {f"{name}_against": against[..., i] for i, name in enumerate(TASTES)}


def _person(state: FunnelState, shop: ShopConfig) -> Columns:
    """Name -> [B]: activity of the person.

    No day of the week: cut-offs lie whole weeks apart, so training sees one day only.
    """
    history = state.history
    of_target = _is_kind(history, _target(shop))
    visits = tf.reduce_sum(history.visit * of_target, axis=1)
    bought = tf.reduce_sum(history.target, axis=1)
    any_target = visits > 0
    counts = pick(state.sums, history.rows)[..., 0]
    distinct = tf.reduce_sum(tf.math.divide_no_nan(history.target, counts), axis=1)
    last = tf.reduce_min(tf.where(of_target > 0, history.ages, NEVER_DAYS), axis=1)
    first = tf.reduce_max(history.ages * of_target, axis=1)
    gap = tf.math.divide_no_nan(first - last, visits - 1.0)
    gap = tf.where(visits > 1, gap, 0.0)
    columns = {
        "visits": tf.math.log1p(visits),
        "bought": tf.math.log1p(bought),
        "distinct_share": tf.math.divide_no_nan(distinct, bought),
        "per_visit": tf.math.log1p(tf.math.divide_no_nan(bought, visits)),
        "last_visit": tf.math.log1p(tf.where(any_target, last, NEVER_DAYS)),
        "tenure": tf.math.log1p(first),
        "visit_gap": tf.math.log1p(gap),
    }
    for kind in _others(shop):
        of_kind = _is_kind(history, kind)
        events = tf.reduce_sum(history.fresh * of_kind, axis=1)
        columns[f"{shop.event_types[kind]}_events"] = tf.math.log1p(events)
    return columns


def _is_kind(history: History, kind: int) -> tf.Tensor:
    return tf.cast(history.events == kind, tf.float32)


def _target(shop: ShopConfig) -> int:
    return shop.event_types.index(shop.target_event)


def _others(shop: ShopConfig) -> list[int]:
    """Event types beside the target."""
    return [k for k in range(len(shop.event_types)) if k != _target(shop)]


def _relative(shop: ShopConfig) -> list[float]:
    """Event weights as shares of the heaviest, at least a tenth."""
    top = max(shop.event_weights)
    return [max(w / top, 0.1) for w in shop.event_weights]
