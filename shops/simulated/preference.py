"""What people buy in the days after a purchase history: the truth of recommendation.

Equations in docs/simulated-shop.md.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from shops.simulated import behaviour, sessions
from shops.simulated.catalogue import Catalogue, FloatArray, IntArray
from shops.simulated.config import SimulatorConfig
from shops.simulated.exposure import Exposure
from shops.simulated.people import People
from shops.simulated.sessions import Purchases
from shops.simulated.vocabulary import NUM_STYLES

_normal_cdf = np.vectorize(
    lambda z: 0.5 * math.erfc(-z / math.sqrt(2.0)), otypes=[np.float64]
)


class Preference:
    """Expected purchases, given those before a day.

    What a person does after that day does not feed back: a purchase on the first day
    adds neither a complement nor a replenishment to the later ones.
    """

    def __init__(
        self,
        config: SimulatorConfig,
        catalogue: Catalogue,
        people: People,
        purchases: Purchases,
    ) -> None:
        self._config = config
        self._catalogue = catalogue
        self._people = people
        self._purchases = purchases

    def of(
        self, users: IntArray, first: int, last: int, exposure: Exposure
    ) -> FloatArray:
        """[U, n] expected purchases on the days [first, last).

        Args:
          users: [U] rows of people.
          first: a day of the calendar; purchases before it are known.
          exposure: what pages show in these days.
        """
        catalogue, people = self._catalogue, self._people
        worth = behaviour.utility(
            catalogue, people, users[:, None], np.arange(catalogue.num_items)[None]
        )
        owned, running_out = self._state(users, first, last)
        bought = np.where(owned, self._config.owned_factor, 1.0)
        bought *= behaviour.conversion(worth)
        seen = self._looks(users, first, exposure)
        row, item, chance = running_out
        chance = chance * exposure.availability[item]
        self._add_replenish_pages(seen, row, item, chance, exposure)
        expected = seen * bought
        np.add.at(expected, (row, item), chance * self._config.replenish_success)
        return np.asarray(expected)

    def _looks(self, users: IntArray, first: int, exposure: Exposure) -> FloatArray:
        """[U, n] expected looks on pages that people open by themselves."""
        config, catalogue, people = self._config, self._catalogue, self._people
        groups, width = catalogue.num_groups, NUM_STYLES
        theta = np.zeros((len(users), groups))
        rows = np.arange(len(users))[:, None]
        theta[rows, people.tastes[users]] = people.taste_weights[users]
        theta_leaf = theta.reshape(len(users), -1, width).sum(axis=2)
        split = sessions.SEARCH_SPLIT
        search = config.search_share
        other = config.other_brand_factor
        named = other + (1.0 - other) * exposure.brand_share
        by_group = 1.0 - search - config.discover_share
        by_group += search * split[sessions.SEARCH_STYLE]
        group_factor = by_group + search * split[sessions.SEARCH_BRAND] * named

        complement, days = self._complements(users, first, len(exposure.group) - 1)
        kappa = config.complement_share

        def less_complement(cumulative: FloatArray) -> FloatArray:
            return np.asarray(cumulative[-1] - kappa * cumulative[days])

        looks = theta[:, catalogue.group] * (
            less_complement(exposure.group) * group_factor
        )
        looks += theta_leaf[:, catalogue.leaf] * (
            less_complement(exposure.leaf) * search * split[sessions.SEARCH_LEAF]
        )
        looks += less_complement(exposure.shop) * config.discover_share
        along = catalogue.group == complement[:, None]
        looks += along * kappa * exposure.group[days]
        return np.asarray(looks * people.sessions_per_day[users][:, None])

    def _complements(
        self, users: IntArray, first: int, horizon: int
    ) -> tuple[IntArray, IntArray]:
        """[U] the group that goes with the last purchase and for how many days yet."""
        past = self._purchases.day < first
        group = np.full(self._people.num_users, -1, np.int64)
        day = np.full(self._people.num_users, -(10**6), np.int64)
        bought = self._catalogue.group[self._purchases.item[past]]
        group[self._purchases.user[past]] = self._catalogue.complement_group[bought]
        day[self._purchases.user[past]] = self._purchases.day[past]
        left = day[users] + self._config.complement_days - first + 1
        return group[users], np.clip(left, 0, horizon)

    def _state(
        self, users: IntArray, first: int, last: int
    ) -> tuple[npt.NDArray[np.bool_], tuple[IntArray, IntArray, FloatArray]]:
        """[U, n] lasting items owned, and (row, item, chance) of what runs out."""
        row_of = np.full(self._people.num_users, -1, np.int64)
        row_of[users] = np.arange(len(users))
        past = (self._purchases.day < first) & (row_of[self._purchases.user] >= 0)
        row, item = row_of[self._purchases.user[past]], self._purchases.item[past]
        lasts = self._catalogue.period_days[item] == 0
        owned = np.zeros((len(users), self._catalogue.num_items), bool)
        owned[row[lasts], item[lasts]] = True
        latest = np.full(owned.shape, -1, np.int32)
        latest[row[~lasts], item[~lasts]] = self._purchases.day[past][~lasts]
        row, item = np.nonzero(latest >= 0)
        since = first - latest[row, item]
        chance = self._due_chance(users[row], item, since, last - first)
        return owned, (row, item, chance)

    def _due_chance(
        self, user: IntArray, item: IntArray, since: IntArray, horizon: int
    ) -> FloatArray:
        """Probability to run out in the horizon, not having bought again so far."""
        period = self._catalogue.period_days[item]

        def before(days: IntArray) -> FloatArray:
            late = np.log(np.maximum(days - 0.5, 1e-9) / period)
            return np.asarray(_normal_cdf(late / self._config.replenish_spread))

        so_far, at_end = before(since), before(since + horizon)
        rho = self._people.loyalty[user]
        missed = 1.0 - rho * self._config.replenish_success * so_far
        return np.asarray(rho * (at_end - so_far) / missed)

    def _add_replenish_pages(
        self,
        looks: FloatArray,
        row: IntArray,
        item: IntArray,
        chance: FloatArray,
        exposure: Exposure,
    ) -> None:
        """Adds the other slots of the pages on which something is bought again."""
        group = np.zeros((len(looks), self._catalogue.num_groups))
        np.add.at(group, (row, self._catalogue.group[item]), chance)
        looks += group[:, self._catalogue.group] * exposure.beside
