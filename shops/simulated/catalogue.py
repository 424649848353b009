"""The simulated catalogue: what is sold, since when, how popular, at what price."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from shops.simulated import vocabulary
from shops.simulated.config import SimulatorConfig
from shops.simulated.vocabulary import NUM_STYLES, Leaf

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

BRAND_DIM = 8
BRANDS_PER_DEPARTMENT = 9
TREND_SIGMA = 0.25  # weekly step of the log popularity
NEW_BOOST = 2.0  # a new item starts at 1 + this times its popularity
NEW_DAYS = 20.0  # and loses the boost with this time constant


@dataclasses.dataclass(frozen=True, kw_only=True)
class Catalogue:
    """n items sorted by group = leaf * NUM_STYLES + style; D days."""

    leaves: tuple[Leaf, ...]
    item_ids: list[str]
    group: IntArray  # [n], ascending
    leaf: IntArray  # [n]
    brand: IntArray  # [n]
    size: IntArray  # [n] index into the leaf's sizes
    colour: IntArray  # [n]
    chinese: BoolArray  # [n] title in Chinese
    price: FloatArray  # [n]
    price_level: FloatArray  # [n] z-score of the log price inside the leaf
    quality: FloatArray  # [n]
    launch_day: IntArray  # [n], negative if launched before the calendar
    available: BoolArray  # [D, n] launched and in stock
    popularity: FloatArray  # [D, n], 0 where not available
    group_start: IntArray  # [G + 1] rows of group g are group_start[g : g + 2]
    period_days: IntArray  # [n] 0: it lasts
    complement_group: IntArray  # [G]
    brand_factors: FloatArray  # [number of brands, BRAND_DIM]

    @property
    def num_items(self) -> int:
        return len(self.group)

    @property
    def num_groups(self) -> int:
        return len(self.group_start) - 1

    def leaf_bounds(self, leaf: IntArray) -> tuple[IntArray, IntArray]:
        """First and past-the-last row of each leaf."""
        start = self.group_start[leaf * NUM_STYLES]
        return start, self.group_start[(leaf + 1) * NUM_STYLES]


def build_catalogue(config: SimulatorConfig, rng: np.random.Generator) -> Catalogue:
    """Draws a catalogue of `config.num_items` items."""
    leaves = vocabulary.leaves()
    n, num_groups = config.num_items, len(leaves) * NUM_STYLES
    # every group has an item; the rest are spread unevenly
    weights = rng.dirichlet(np.full(num_groups, 6.0))
    rest = rng.choice(num_groups, size=max(n - num_groups, 0), p=weights)
    group = np.sort(np.concatenate([np.arange(num_groups), rest])[:n]).astype(np.int64)
    leaf = group // NUM_STYLES
    brand = _brands(leaves, leaf, rng)
    tier = rng.normal(0.0, 0.25, len(vocabulary.BRANDS))
    num_sizes = np.array([len(each.sizes) for each in leaves])[leaf]
    size = rng.integers(0, num_sizes)
    log_level = tier[brand] + 0.25 * (size - (num_sizes - 1) / 2)
    log_level += rng.normal(0.0, 0.2, n)
    usual = np.array([each.price for each in leaves])[leaf]
    launch_day = _launch_days(config, rng)
    available = _available(config, launch_day, rng)
    return Catalogue(
        leaves=leaves,
        item_ids=[f"p{number:06d}" for number in rng.permutation(n) + 1],
        group=group,
        leaf=leaf,
        brand=brand,
        size=size,
        colour=rng.integers(0, len(vocabulary.COLOURS), n),
        chinese=rng.random(n) < config.chinese_share,
        price=np.maximum(np.round(usual * np.exp(log_level), 2), 0.5),
        price_level=_standardize(log_level, leaf),
        quality=rng.normal(0.0, 0.4, n),
        launch_day=launch_day,
        available=available,
        popularity=_popularity(config, launch_day, rng) * available,
        group_start=np.searchsorted(group, np.arange(num_groups + 1)),
        period_days=np.array([each.period_days for each in leaves])[leaf],
        complement_group=_complements(leaves),
        brand_factors=rng.normal(0.0, 1.0, (len(vocabulary.BRANDS), BRAND_DIM)),
    )


def _brands(
    leaves: tuple[Leaf, ...], leaf: IntArray, rng: np.random.Generator
) -> IntArray:
    """[n] a brand among those of the item's department."""
    departments = sorted({each.department for each in leaves})
    sells = np.stack(
        [
            rng.choice(len(vocabulary.BRANDS), BRANDS_PER_DEPARTMENT, replace=False)
            for _ in departments
        ]
    )
    department = np.array([departments.index(each.department) for each in leaves])
    # brand b of a department is twice as frequent as brand 2b
    weights = 1.0 / (1.0 + np.arange(BRANDS_PER_DEPARTMENT))
    pick = rng.choice(BRANDS_PER_DEPARTMENT, size=len(leaf), p=weights / weights.sum())
    return sells[department[leaf], pick].astype(np.int64)


def _launch_days(config: SimulatorConfig, rng: np.random.Generator) -> IntArray:
    old = -rng.integers(1, 365, config.num_items)
    new = rng.integers(0, config.num_days, config.num_items)
    is_new = rng.random(config.num_items) < config.new_share
    return np.asarray(np.where(is_new, new, old), np.int64)


def _available(
    config: SimulatorConfig, launch_day: IntArray, rng: np.random.Generator
) -> BoolArray:
    """[D, n] launched; 15 % of the items are out of stock once, for 5 to 20 days."""
    n = config.num_items
    day = np.arange(config.num_days)[:, None]
    first = rng.integers(0, config.num_days, n)
    last = first + rng.integers(5, 21, n)
    out = (rng.random(n) < 0.15) & (day >= first) & (day < last)
    return (day >= launch_day) & ~out


def _popularity(
    config: SimulatorConfig, launch_day: IntArray, rng: np.random.Generator
) -> FloatArray:
    """[D, n] Zipf times a weekly random walk times the boost of what is new."""
    n, days = config.num_items, config.num_days
    rank = rng.permutation(n) + 1.0
    base = (rank + 0.002 * n) ** -config.zipf_exponent
    steps = rng.normal(0.0, TREND_SIGMA, (days // 7 + 1, n))
    walk = np.cumsum(steps, axis=0)[np.arange(days) // 7]
    age = np.maximum(np.arange(days)[:, None] - launch_day, 0)
    boost = 1.0 + NEW_BOOST * np.exp(-age / NEW_DAYS)
    return np.asarray(base * np.exp(walk) * boost)


def _complements(leaves: tuple[Leaf, ...]) -> IntArray:
    index = {each.name: number for number, each in enumerate(leaves)}
    along = np.array([index[each.complement] for each in leaves])
    styles = np.arange(NUM_STYLES)
    return (along[:, None] * NUM_STYLES + styles).reshape(-1).astype(np.int64)


def _standardize(values: FloatArray, leaf: IntArray) -> FloatArray:
    counts = np.maximum(np.bincount(leaf), 1)
    mean = np.bincount(leaf, values) / counts
    spread = np.sqrt(np.bincount(leaf, (values - mean[leaf]) ** 2) / counts)
    return np.asarray((values - mean[leaf]) / np.maximum(spread, 1e-6)[leaf])
