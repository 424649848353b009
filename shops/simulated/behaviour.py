"""How the simulated people choose: what sessions and ground truth share."""

from __future__ import annotations

import numpy as np

from shops.simulated.catalogue import BRAND_DIM, Catalogue, FloatArray, IntArray
from shops.simulated.config import SimulatorConfig
from shops.simulated.people import People

# Monday .. Sunday; mean 1
WEEK = np.array([0.9, 0.85, 0.85, 0.9, 1.05, 1.25, 1.2])
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday

BRAND_WEIGHT = 0.9
PRICE_WEIGHT = 0.35
# [reads Chinese, title in Chinese]
LANGUAGE = np.array([[0.0, -1.5], [-0.5, 0.5]])
CLICK_BIAS, CART_BIAS, PURCHASE_BIAS = 0.8, 0.0, 1.2
LATER_SLOPE = 0.5  # utility counts less after the click


def sigmoid(x: FloatArray) -> FloatArray:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


def season(config: SimulatorConfig) -> FloatArray:
    """[D] sessions of a day against the mean day."""
    first = config.start // 86_400 + EPOCH_WEEKDAY
    return np.asarray(WEEK[(first + np.arange(config.num_days)) % 7])


def position_bias(config: SimulatorConfig) -> FloatArray:
    """[L] probability that slot p is looked at, (1 + p)^-eta."""
    return np.asarray((1.0 + np.arange(config.slots)) ** -config.position_exponent)


def utility(
    catalogue: Catalogue, people: People, users: IntArray, items: IntArray
) -> FloatArray:
    """What an item is worth to a person; `users` and `items` broadcast together."""
    if users.ndim == 2 and items.ndim == 2 and users.shape[1] == items.shape[0] == 1:
        affinity = (people.brand_factors[users[:, 0]] @ catalogue.brand_factors.T)[
            :, catalogue.brand[items[0]]
        ]
    else:
        affinity = np.einsum(
            "...d,...d->...",
            people.brand_factors[users],
            catalogue.brand_factors[catalogue.brand[items]],
        )
    gap = catalogue.price_level[items] - people.price_level[users]
    language = LANGUAGE[
        people.chinese[users].astype(np.int64),
        catalogue.chinese[items].astype(np.int64),
    ]
    return np.asarray(
        BRAND_WEIGHT * affinity / np.sqrt(BRAND_DIM)
        - PRICE_WEIGHT * np.minimum(gap**2, 9.0)
        + language
        + catalogue.quality[items]
    )


def click_probability(utilities: FloatArray) -> FloatArray:
    """Of an item that is looked at."""
    return sigmoid(CLICK_BIAS + utilities)


def cart_probability(utilities: FloatArray) -> FloatArray:
    """After a click."""
    return sigmoid(CART_BIAS + LATER_SLOPE * utilities)


def purchase_probability(utilities: FloatArray) -> FloatArray:
    """After the cart."""
    return sigmoid(PURCHASE_BIAS + LATER_SLOPE * utilities)


def conversion(utilities: FloatArray) -> FloatArray:
    """Purchase probability of an item that is looked at."""
    return np.asarray(
        click_probability(utilities)
        * cart_probability(utilities)
        * purchase_probability(utilities)
    )
