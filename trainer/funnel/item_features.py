"""What the ranker knows of an item alone: popularity, trend, age, price, repeats."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.config import ShopConfig
from core.config.neighbours import NeighboursConfig
from trainer.funnel import popularity
from trainer.funnel.event_log import EventLog
from trainer.funnel.neighbours import Neighbours

FloatArray = npt.NDArray[np.float32]

NEVER_DAYS = 3_650.0  # age of what has not happened


def item_features(
    log: EventLog,
    *,
    prices: FloatArray,
    titles: Neighbours,
    shop: ShopConfig,
    config: NeighboursConfig,
) -> tuple[tuple[str, ...], FloatArray]:
    """Names and [n, G] float32 values, on scales that a linear layer can use.

    Args:
      log: events before the cut-off, of all types.
      prices: [n] float32, NaN where unknown.
      titles: title neighbours of each item.
    """
    target = log.of_kind(shop.event_types.index(shop.target_event))
    columns = {
        **_popularity(target, config),
        **_other_events(log, shop, config),
        **_life(target, config),
        **_price(prices),
        **_title_neighbours(target, titles, config),
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


def _life(log: EventLog, config: NeighboursConfig) -> dict[str, FloatArray]:
    rate, gap = popularity.repeat_statistics(log, config.visit_s)
    again, anew = popularity.transition_rates(log, config.forecast_days)
    return {
        "item_age": np.log1p(popularity.item_ages(log)),
        "item_last_age": np.log1p(popularity.last_ages(log, NEVER_DAYS)),
        "item_is_cold": (popularity.buyers(log) == 0).astype(np.float32),
        "item_repeat_rate": rate,
        "item_repeat_gap": np.log1p(gap),
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
