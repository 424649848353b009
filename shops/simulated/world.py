"""The ground truth of a simulated shop (equations in docs/simulated-shop.md)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.errors import ConfigError
from core.features import SECONDS_PER_DAY
from shops.simulated import behaviour, sessions
from shops.simulated.catalogue import Catalogue, FloatArray, IntArray
from shops.simulated.config import HORIZON_DAYS, SimulatorConfig
from shops.simulated.exposure import Exposure, horizon_exposure
from shops.simulated.people import People
from shops.simulated.queries import QueryBook
from shops.simulated.search_truth import SearchGain, search_gain
from shops.simulated.sessions import Purchases
from shops.simulated.vocabulary import NUM_STYLES

Names = Sequence[str]
Times = Sequence[int] | None
BATCH = 512  # people whose [BATCH, n] preferences are held at once
_normal_cdf = np.vectorize(
    lambda z: 0.5 * math.erfc(-z / math.sqrt(2.0)), otypes=[np.float64]
)


class World:
    """Answers what any person truly wants, given the purchases before a day.

    What a person does inside the horizon does not feed back: a purchase on its first
    day adds neither a complement nor a replenishment to the later ones.
    """

    def __init__(
        self,
        *,
        config: SimulatorConfig,
        catalogue: Catalogue,
        people: People,
        queries: QueryBook,
        purchases: Purchases,
    ) -> None:
        self.config = config
        self.catalogue = catalogue
        self.people = people
        self.queries = queries
        self.purchases = purchases
        self._user_row = {name: row for row, name in enumerate(people.user_ids)}
        self._item_row = {name: row for row, name in enumerate(catalogue.item_ids)}
        self._exposures: dict[int, Exposure] = {}  # of the day asked last

    @property
    def position_bias(self) -> FloatArray:
        """[L] probability that slot p of a page is looked at."""
        return behaviour.position_bias(self.config)

    def preference(
        self, user_ids: list[str], at: int, item_ids: list[str] | None = None
    ) -> FloatArray:
        """[U, n] expected purchases in [at, at + 14 days), given those before `at`.

        Args:
          user_ids: U people of the shop.
          at: seconds since 1970, taken down to the start of its UTC day.
          item_ids: n items; None for all, in the order of `catalogue.item_ids`.

        Raises:
          ConfigError: `at` is outside the calendar.
          KeyError: there is no such person or item.
        """
        users = np.array([self._user_row[name] for name in user_ids], np.int64)
        first = self._day(at)
        exposure = self._exposure(first)
        grid = [
            self._preference(users[i : i + BATCH], first, exposure)
            for i in range(0, len(users), BATCH)
        ]
        values = np.concatenate(grid) if grid else np.zeros((0, len(self._item_row)))
        if item_ids is None:
            return values
        return values[:, [self._item_row[name] for name in item_ids]]

    def relevance(
        self, query: str, item_ids: list[str] | None = None
    ) -> npt.NDArray[np.int64]:
        """[n] 0 .. 3: how much of what the query asks for each item is."""
        grades = self.queries.grades(self.catalogue, query)
        if item_ids is None:
            return grades
        return grades[[self._item_row[name] for name in item_ids]]

    def search_gain(
        self,
        user_ids: Names,
        queries: Names,
        item_ids: Names | None = None,
        *,
        at: Times = None,
    ) -> SearchGain:
        """[M, n] probabilities that person m clicks, and buys, item n for query m.

        The item lies in slot 0 of the query's page. It is 0 for what the query does not
        name, for a query that nobody types and, with `at`, for what is not sold then.

        Args:
          user_ids: M people of the shop.
          queries: M texts.
          item_ids: n items; None for all, in the order of `catalogue.item_ids`.
          at: M times, seconds since 1970; None for people who own nothing in a shop
            that has everything.

        Raises:
          ConfigError: a time is outside the calendar.
          KeyError: there is no such person or item.
        """
        ids = self.catalogue.item_ids if item_ids is None else item_ids
        users = np.array([self._user_row[name] for name in user_ids], np.int64)
        days = None if at is None else np.array([self._day(t) for t in at], np.int64)
        return search_gain(
            self.config,
            self.catalogue,
            self.people,
            self.purchases,
            users=users,
            intents=[self.queries.intents.get(query) for query in queries],
            items=np.array([self._item_row[name] for name in ids], np.int64),
            days=days,
        )

    def oracle_search_page(
        self, user_ids: Names, queries: Names, k: int, *, at: Times = None
    ) -> list[list[str]]:
        """The k items of highest click probability, best first; none of probability 0.

        With that probability as (linear) gain the page's NDCG@k is 1.
        """
        pages = []
        for i in range(0, len(user_ids), BATCH):
            part = slice(i, i + BATCH)
            times = None if at is None else at[part]
            gain = self.search_gain(user_ids[part], queries[part], at=times).click
            pages += self._best(gain, k, worthless=0.0)
        return pages

    def query_class(self, query: str) -> frozenset[str]:
        """`generic` or `specific`; `synonym`, `misspelt`, `chinese` where they hold."""
        return self.queries.classes(query)

    def oracle_page(self, user_ids: list[str], at: int, k: int) -> list[list[str]]:
        """The k items of highest preference of each person, best first."""
        pages = []
        for i in range(0, len(user_ids), BATCH):
            pages += self._best(self.preference(user_ids[i : i + BATCH], at), k)
        return pages

    def _best(
        self, scores: FloatArray, k: int, worthless: float = -math.inf
    ) -> list[list[str]]:
        best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        ids = self.catalogue.item_ids
        return [
            [ids[row] for row in rows if each[row] > worthless]
            for rows, each in zip(best, scores, strict=True)
        ]

    def _day(self, at: int) -> int:
        day = (at - self.config.start) // SECONDS_PER_DAY
        if not 0 <= day < self.config.num_days:
            raise ConfigError(
                f"`at` must be inside the simulated calendar, {self.config.start} to "
                f"{self.config.start + self.config.num_days * SECONDS_PER_DAY} "
                f"(seconds since 1970). Received: {at}."
            )
        return int(day)

    def _last_day(self, first: int) -> int:
        return min(first + HORIZON_DAYS, self.config.num_days)

    def _exposure(self, first: int) -> Exposure:
        if first not in self._exposures:
            self._exposures = {
                first: horizon_exposure(
                    self.config, self.catalogue, first, self._last_day(first)
                )
            }
        return self._exposures[first]

    def _preference(
        self, users: IntArray, first: int, exposure: Exposure
    ) -> FloatArray:
        catalogue, people = self.catalogue, self.people
        worth = behaviour.utility(
            catalogue, people, users[:, None], np.arange(catalogue.num_items)[None]
        )
        owned, running_out = self._state(users, first)
        bought = np.where(owned, self.config.owned_factor, 1.0)
        bought *= behaviour.conversion(worth)
        seen = self._looks(users, first, exposure)
        row, item, chance = running_out
        chance = chance * exposure.availability[item]
        self._add_replenish_pages(seen, row, item, chance, exposure)
        expected = seen * bought
        np.add.at(expected, (row, item), chance * self.config.replenish_success)
        return np.asarray(expected)

    def _looks(self, users: IntArray, first: int, exposure: Exposure) -> FloatArray:
        """[U, n] expected looks on pages that people open by themselves."""
        config, catalogue, people = self.config, self.catalogue, self.people
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
        past = self.purchases.day < first
        group = np.full(self.people.num_users, -1, np.int64)
        day = np.full(self.people.num_users, -(10**6), np.int64)
        bought = self.catalogue.group[self.purchases.item[past]]
        group[self.purchases.user[past]] = self.catalogue.complement_group[bought]
        day[self.purchases.user[past]] = self.purchases.day[past]
        left = day[users] + self.config.complement_days - first + 1
        return group[users], np.clip(left, 0, horizon)

    def _state(
        self, users: IntArray, first: int
    ) -> tuple[npt.NDArray[np.bool_], tuple[IntArray, IntArray, FloatArray]]:
        """[U, n] lasting items owned, and (row, item, chance) of what runs out."""
        row_of = np.full(self.people.num_users, -1, np.int64)
        row_of[users] = np.arange(len(users))
        past = (self.purchases.day < first) & (row_of[self.purchases.user] >= 0)
        row, item = row_of[self.purchases.user[past]], self.purchases.item[past]
        lasts = self.catalogue.period_days[item] == 0
        owned = np.zeros((len(users), self.catalogue.num_items), bool)
        owned[row[lasts], item[lasts]] = True
        latest = np.full(owned.shape, -1, np.int32)
        latest[row[~lasts], item[~lasts]] = self.purchases.day[past][~lasts]
        row, item = np.nonzero(latest >= 0)
        since = first - latest[row, item]
        chance = self._due_chance(
            users[row], item, since, self._last_day(first) - first
        )
        return owned, (row, item, chance)

    def _due_chance(
        self, user: IntArray, item: IntArray, since: IntArray, horizon: int
    ) -> FloatArray:
        """Probability to run out in the horizon, not having bought again so far."""
        period = self.catalogue.period_days[item]

        def before(days: IntArray) -> FloatArray:
            late = np.log(np.maximum(days - 0.5, 1e-9) / period)
            return np.asarray(_normal_cdf(late / self.config.replenish_spread))

        so_far, at_end = before(since), before(since + horizon)
        rho = self.people.loyalty[user]
        missed = 1.0 - rho * self.config.replenish_success * so_far
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
        group = np.zeros((len(looks), self.catalogue.num_groups))
        np.add.at(group, (row, self.catalogue.group[item]), chance)
        looks += group[:, self.catalogue.group] * exposure.beside
