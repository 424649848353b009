"""What every adapter returns: the canonical tables and the shop's own settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.config import ShopConfig, SplitConfig
from core.errors import ConfigError

FloatArray = npt.NDArray[np.float64]
# A shop without a log has nothing to split: 2025-01-01 00:00 UTC, for all of them.
NO_SPLITS = SplitConfig(test_start=1_735_689_600)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tables:
    """The three canonical tables and the rows that an adapter could not pass on.

    `events` of a shop without a log has the contract's columns and no rows.
    """

    items: pa.Table
    events: pa.Table
    judgments: pa.Table | None = None
    rejected: pa.Table  # columns table, row (JSON), reason

    @property
    def has_events(self) -> bool:
        return bool(self.events.num_rows)


class TrueSearchGain(Protocol):
    """Probabilities [M, n] of what happens to an item in slot 0."""

    @property
    def click(self) -> FloatArray: ...

    @property
    def purchase(self) -> FloatArray: ...


class TrueWorld(Protocol):
    """The ground truth behind a simulated shop (docs/simulated-shop.md)."""

    @property
    def position_bias(self) -> FloatArray:
        """[slots] probability that a shown slot is looked at."""
        ...

    def preference(
        self, user_ids: list[str], at: int, item_ids: list[str] | None = None
    ) -> FloatArray:
        """[U, n] expected purchases in [at, at + horizon), given the past before at."""
        ...

    def relevance(
        self, query: str, item_ids: list[str] | None = None
    ) -> npt.NDArray[np.int64]:
        """[n] true grade of each item for a query, 0 .. 3."""
        ...

    def oracle_page(self, user_ids: list[str], at: int, k: int) -> list[list[str]]:
        """The k items of highest true preference per user, best first."""
        ...

    def search_gain(
        self,
        user_ids: Sequence[str],
        queries: Sequence[str],
        item_ids: Sequence[str] | None = None,
        *,
        at: Sequence[int] | None = None,
    ) -> TrueSearchGain:
        """Whether person m clicks, and buys, item n of query m's page in slot 0."""
        ...

    def oracle_search_page(
        self,
        user_ids: Sequence[str],
        queries: Sequence[str],
        k: int,
        *,
        at: Sequence[int] | None = None,
    ) -> list[list[str]]:
        """The k items that each person clicks most likely for the query, best first."""
        ...

    def query_class(self, query: str) -> frozenset[str]:
        """`generic` or `specific`; `synonym`, `misspelt`, `chinese` where they hold."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shop:
    """One shop's tables, with the settings that its adapter knows.

    Raises:
      ConfigError: a context feature is no column of the events.
    """

    tables: Tables
    config: ShopConfig
    splits: SplitConfig
    world: TrueWorld | None = None  # simulated shops only

    def __post_init__(self) -> None:
        columns = self.tables.events.column_names
        missing = [c for c in self.config.context_features if c not in columns]
        if missing:
            raise ConfigError(
                "`ShopConfig.context_features` must be columns of `events`. Received: "
                f"{', '.join(missing)} beside {', '.join(columns)}. An adapter passes "
                "them to `contract.to_table` as well."
            )
