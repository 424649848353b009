"""What the ranker knows of an item alone: popularity, trend, age, price, repeats."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.config import ShopConfig
from core.config.neighbours import NeighboursConfig
from trainer.funnel import popularity
from trainer.funnel.event_log import EventLog
from trainer.funnel.neighbours import Neighbours
from trainer.funnel.repeats import Habits, transition_rates

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]

NEVER_DAYS = 3_650.0  # age of what has not happened


def item_features(
    log: EventLog,
    *,
    prices: FloatArray,
    titles: Neighbours,
    habits: Habits,
    categories: IntArray | None,
    shop: ShopConfig,
    config: NeighboursConfig,
) -> tuple[tuple[str, ...], FloatArray]:
    """Names and [n, G] float32 values, on scales that a linear layer can use.

    Args:
      log: events before the cut-off, of all types.
      prices: [n] float32, NaN where unknown.
      titles: title neighbours of each item.
      habits: how each item is bought again.
      categories: [n] ids; None: the catalogue has none.
    """
    target = log.of_kind(shop.event_types.index(shop.target_event))
    columns = {
        **_popularity(target, config),
        **_other_events(log, shop, config),
        **_life(target, habits, categories, config),
        **_price(prices),
        **_title_neighbours(target, titles, config),
        **_in_category(log, categories, config),
    }
    values = np.stack([np.asarray(v, np.float32) for v in columns.values()], axis=1)
    return tuple(columns), np.ascontiguousarray(values)


def price_z(prices: FloatArray) -> FloatArray:
    """[n] z-scores of log prices, clipped at 4; 0 where the price is unknown."""
    known = np.isfinite(prices) & (prices > 0)
    logs = np.log(np.where(known, prices, 1.0))
    if not known.any():
        return np.zeros(len(prices), np.float32)
    spread = max(float(logs[known].std()), 1e-6)
    z = np.clip((logs - logs[known].mean()) / spread, -4.0, 4.0)
    return np.where(known, z, 0.0).astype(np.float32)


def _popularity(log: EventLog, config: NeighboursConfig) -> dict[str, FloatArray]:
    ever = popularity.buyers(log)
    windows = {d: popularity.buyers(log, d) for d in config.popularity_days}
    columns = {f"item_buyers_{d}d": np.log1p(v) for d, v in windows.items()}
    columns["item_buyers_ever"] = np.log1p(ever)
    for days in (14, config.trend_days, 90):
        columns[f"item_trend_{days}d"] = np.log(popularity.trend(log, days))
    lengths = config.popularity_days
    short, middle = windows[lengths[0]], windows[lengths[min(2, len(lengths) - 1)]]
    columns["item_acceleration"] = np.log((short + 1.0) / (middle + 5.0))
    for window in (14, 30):
        first = popularity.first_time_buyers(log, window)
        columns[f"item_first_buyers_{window}d"] = np.log1p(first)
    columns["item_first_share"] = (first + 1.0) / (popularity.buyers(log, 30) + 2.0)
    return columns


def _other_events(
    log: EventLog, shop: ShopConfig, config: NeighboursConfig
) -> dict[str, FloatArray]:
    columns: dict[str, FloatArray] = {}
    target = shop.event_types.index(shop.target_event)
    bought = popularity.buyers(log.of_kind(target))
    for kind, name in enumerate(shop.event_types):
        if kind == target:
            continue
        events = log.of_kind(kind)
        users = popularity.buyers(events)
        columns[f"item_{name}_30d"] = np.log1p(popularity.buyers(events, 30))
        columns[f"item_{name}_ever"] = np.log1p(users)
        columns[f"item_{name}_to_target"] = (bought + 0.5) / (users + 10.0)
    return columns


def _life(
    log: EventLog,
    habits: Habits,
    categories: IntArray | None,
    config: NeighboursConfig,
) -> dict[str, FloatArray]:
    again, anew = transition_rates(log, config.forecast_days, categories)
    return {
        "item_age": np.log1p(popularity.item_ages(log)),
        "item_last_age": np.log1p(popularity.last_ages(log, NEVER_DAYS)),
        "item_is_cold": (popularity.buyers(log) == 0).astype(np.float32),
        "item_repeat_rate": habits.rate,
        "item_repeat_gap": np.log1p(habits.gap),
        "item_again_rate": np.sqrt(again),
        "item_anew_rate": np.sqrt(anew),
    }


def _price(prices: FloatArray) -> dict[str, FloatArray]:
    known = np.isfinite(prices) & (prices > 0)
    return {"item_price": price_z(prices), "item_price_known": known.astype(np.float32)}


def _title_neighbours(
    log: EventLog, titles: Neighbours, config: NeighboursConfig
) -> dict[str, FloatArray]:
    """How items with similar titles sell: means weighted by similarity."""
    recent = popularity.buyers(log, config.trend_days)
    trends = np.log(popularity.trend(log, config.trend_days))
    values = np.append(np.stack([np.log1p(recent), trends], 1), [[0.0, 0.0]], axis=0)
    weights = titles.scores[:, :, None]
    total = np.maximum(weights.sum(axis=1), 1e-6)
    means = (values[titles.rows] * weights).sum(axis=1) / total
    return {"item_title_buyers": means[:, 0], "item_title_trend": means[:, 1]}


def _in_category(
    log: EventLog, categories: IntArray | None, config: NeighboursConfig
) -> dict[str, FloatArray]:
    """Log shares of the people who lately touched an item's category, and how many.

    Whoever comes for a category mostly sees what is popular in it: the share says so,
    where the category is small or large.
    """
    columns: dict[str, FloatArray] = {}
    if categories is None:
        return columns
    lengths = config.popularity_days
    for days in (lengths[min(1, len(lengths) - 1)], lengths[min(3, len(lengths) - 1)]):
        people = popularity.buyers(log, days) + 0.5
        of_category = np.bincount(categories, people)[categories]
        columns[f"item_in_category_{days}d"] = np.log(people / of_category)
        columns[f"category_people_{days}d"] = np.log(of_category)
    return columns
