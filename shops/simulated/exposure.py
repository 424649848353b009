"""How often an item is looked at on the pages of its group, its category, the shop."""

from __future__ import annotations

import dataclasses

import numpy as np

from shops.simulated import behaviour
from shops.simulated.catalogue import Catalogue, FloatArray, IntArray
from shops.simulated.config import SimulatorConfig
from shops.simulated.vocabulary import NUM_STYLES


@dataclasses.dataclass(frozen=True, kw_only=True)
class Exposure:
    """Expected looks at an item per unit of a person's daily session rate.

    Row m of the [H + 1, n] arrays sums over the first m days of the horizon.
    """

    group: FloatArray  # [H + 1, n] pages of the item's group
    leaf: FloatArray  # [H + 1, n] pages of the item's category
    shop: FloatArray  # [H + 1, n] pages of the whole shop
    beside: FloatArray  # [n] a page of the group behind slot 0, mean of the days
    brand_share: FloatArray  # [n] share of the item's brand in its group's pages
    availability: FloatArray  # [n] share of the days on which it can be bought


def horizon_exposure(
    config: SimulatorConfig, catalogue: Catalogue, first: int, last: int
) -> Exposure:
    """Exposure on the days first .. last - 1."""
    season = behaviour.season(config)[first:last]
    popularity = catalogue.popularity[first:last]
    bias = behaviour.position_bias(config)
    leaf_start = catalogue.group_start[::NUM_STYLES]
    in_group = _shares(popularity, catalogue.group_start)
    looks = {
        "group": _looks(in_group, bias),
        "leaf": _looks(_shares(popularity, leaf_start), bias),
        "shop": _looks(_shares(popularity, np.array([0, catalogue.num_items])), bias),
    }
    cumulative = {
        name: np.concatenate(
            [np.zeros((1, catalogue.num_items)), np.cumsum(each * season[:, None], 0)]
        )
        for name, each in looks.items()
    }
    return Exposure(
        **cumulative,
        beside=_looks(in_group, bias[1:]).mean(axis=0),
        brand_share=_brand_share(catalogue, in_group.mean(axis=0)),
        availability=catalogue.available[first:last].mean(axis=0),
    )


def _shares(popularity: FloatArray, start: IntArray) -> FloatArray:
    """[H, n] probability of each item per slot of a page of its span."""
    # Not `add.reduceat`, which has no sum of nothing: a span may be empty.
    summed = np.pad(np.cumsum(popularity, axis=1), ((0, 0), (1, 0)))
    totals = np.diff(summed[:, start], axis=1)
    per_item = np.repeat(totals, np.diff(start), axis=1)
    return np.asarray(popularity / np.maximum(per_item, 1e-12))


def _looks(share: FloatArray, bias: FloatArray) -> FloatArray:
    """[H, n] sum over slots p of b_p q (1 - q)^p: drawn in p and not before."""
    looks, left = np.zeros_like(share), np.ones_like(share)
    for chance in bias:
        looks += chance * share * left
        left *= 1.0 - share
    return looks


def _brand_share(catalogue: Catalogue, in_group: FloatArray) -> FloatArray:
    key = catalogue.group * (int(catalogue.brand.max()) + 1) + catalogue.brand
    return np.asarray(np.bincount(key, weights=in_group)[key])
