"""The ground truth of a simulated shop (equations in docs/simulated-shop.md)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.errors import ConfigError
from core.features import SECONDS_PER_DAY
from shops.simulated import behaviour
from shops.simulated.catalogue import Catalogue, FloatArray
from shops.simulated.config import HORIZON_DAYS, SimulatorConfig
from shops.simulated.exposure import Exposure, horizon_exposure
from shops.simulated.people import People
from shops.simulated.preference import Preference
from shops.simulated.queries import QueryBook
from shops.simulated.search_truth import SearchGain, search_gain
from shops.simulated.sessions import Purchases

Names = Sequence[str]
Times = Sequence[int] | None
BATCH = 512  # people whose [BATCH, n] preferences are held at once


class World:
    """Answers what any person truly wants, given the purchases before a day."""

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
        self._preference = Preference(config, catalogue, people, purchases)
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
            self._preference.of(
                users[i : i + BATCH], first, self._last_day(first), exposure
            )
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
