"""The simulated people: tastes, means, habits."""

from __future__ import annotations

import dataclasses

import numpy as np

from shops.simulated.catalogue import (
    BRAND_DIM,
    BoolArray,
    Catalogue,
    FloatArray,
    IntArray,
)
from shops.simulated.config import SimulatorConfig

COUNTRIES = ("DE", "FR", "GB", "NL", "ES", "CN")
COUNTRY_SHARES = (0.3, 0.2, 0.2, 0.15, 0.15)  # of people who read English; CN the rest
DEVICES = ("mobile", "desktop", "tablet")
DEVICE_SHARES = (0.6, 0.32, 0.08)


@dataclasses.dataclass(frozen=True, kw_only=True)
class People:
    """U people with K tastes each."""

    user_ids: list[str]
    tastes: IntArray  # [U, K] groups
    taste_weights: FloatArray  # [U, K] theta, sums to 1
    sessions_per_day: FloatArray  # [U] a_u
    brand_factors: FloatArray  # [U, BRAND_DIM]
    price_level: FloatArray  # [U] where in a leaf's price range one buys
    chinese: BoolArray  # [U] reads Chinese titles, types Chinese queries
    loyalty: FloatArray  # [U] rho_u, probability to buy a consumable again
    country: IntArray  # [U]
    device: IntArray  # [U]

    @property
    def num_users(self) -> int:
        return len(self.user_ids)


def build_people(
    config: SimulatorConfig, catalogue: Catalogue, rng: np.random.Generator
) -> People:
    """Draws `config.num_users` people."""
    users = config.num_users
    chinese = rng.random(users) < config.chinese_share
    english_country = rng.choice(len(COUNTRY_SHARES), users, p=COUNTRY_SHARES)
    activity = rng.gamma(1.5, 1.0, users) + 0.2
    weights = (1.0 + np.arange(config.num_tastes)) ** -config.taste_concentration
    return People(
        user_ids=[f"u{number:06d}" for number in rng.permutation(users) + 1],
        tastes=_tastes(config, catalogue, rng),
        taste_weights=np.tile(weights / weights.sum(), (users, 1)),
        sessions_per_day=activity
        / activity.mean()
        * config.sessions_per_user
        / config.num_days,
        brand_factors=rng.normal(0.0, 1.0, (users, BRAND_DIM)),
        price_level=rng.normal(0.0, 0.8, users),
        chinese=chinese,
        loyalty=rng.beta(
            6 * config.replenish_share, 6 * (1 - config.replenish_share), users
        ),
        country=np.where(chinese, len(COUNTRIES) - 1, english_country),
        device=rng.choice(len(DEVICES), users, p=DEVICE_SHARES),
    )


def _tastes(
    config: SimulatorConfig, catalogue: Catalogue, rng: np.random.Generator
) -> IntArray:
    """[U, K] groups: half of them in the department of the first, none twice.

    Groups are drawn by Gumbel top-k over log weights, those of the first taste's
    department raised: people with one taste in common often share another.
    """
    leaves = catalogue.leaves
    names = sorted({leaf.department for leaf in leaves})
    per_leaf = catalogue.num_groups // len(leaves)
    department = np.repeat([names.index(leaf.department) for leaf in leaves], per_leaf)
    popularity = rng.normal(0.0, 0.7, catalogue.num_groups)
    users = config.num_users
    first = np.argmax(popularity + rng.gumbel(size=(users, catalogue.num_groups)), 1)
    near = department[first][:, None] == department
    same_style = first[:, None] % per_leaf == np.arange(catalogue.num_groups) % per_leaf
    keys = popularity + 1.5 * near + 1.0 * same_style
    keys = keys + rng.gumbel(size=(users, catalogue.num_groups))
    keys[np.arange(users), first] = np.inf
    order = np.argsort(-keys, axis=1)[:, : config.num_tastes]
    return order.astype(np.int64)
