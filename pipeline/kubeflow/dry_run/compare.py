"""Two pushed bundles of one shop: the same pages, and the same quality?"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from core import features
from core.config.souk import SoukConfig
from core.layout import HomeLayout
from pipeline.pages import Person, ShopTables
from serving.client import HistoryEvent, Page, SoukClient
from serving.embedded import EmbeddedServer

NUM_PEOPLE, NUM_QUERIES, NUM_ITEMS, LENGTH = 20, 10, 10, 20
_METADATA = "souk.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """What two bundles have in common."""

    num_pages: int
    same_pages: int  # the same items in the same order
    score_difference: float  # largest, over items on the same place of both pages
    num_metrics: int
    metric_difference: float  # largest, over all metrics of both souk.json

    @property
    def same(self) -> bool:
        """The same pages, the same metrics; the last bits of a float may differ."""
        return self.same_pages == self.num_pages and self.metric_difference < 1e-6


def compare(first: HomeLayout, second: HomeLayout, config: SoukConfig) -> Comparison:
    """Asks the newest pushed version of both homes, each behind the model server.

    Args:
      first: its tables give people, queries and items.
      second: the other home.
      config: of the shop.
    """
    ours, theirs = (list(_pages(layout, first, config)) for layout in (first, second))
    differences = [
        float(np.max(np.abs(np.subtract(a.scores, b.scores)), initial=0.0))
        for a, b in zip(ours, theirs, strict=True)
        if len(a) == len(b)
    ]
    metrics, others = (_numbers(_metrics(layout)) for layout in (first, second))
    gaps = [abs(metrics[key] - others.get(key, math.inf)) for key in metrics]
    return Comparison(
        num_pages=len(ours),
        same_pages=sum(
            a.item_ids == b.item_ids for a, b in zip(ours, theirs, strict=True)
        ),
        score_difference=max(differences, default=math.inf),
        num_metrics=len(metrics),
        metric_difference=max(gaps, default=math.inf if others else 0.0),
    )


def _pages(layout: HomeLayout, asked: HomeLayout, config: SoukConfig) -> Iterator[Page]:
    at = config.splits.test_start
    tables = ShopTables(asked, config.shop.context_features)
    items = list(tables.titles.items())
    some = items[:: max(1, len(items) // NUM_ITEMS)][:NUM_ITEMS]
    words = [title.split(",")[0] for _, title in some[:NUM_QUERIES]]
    with (
        EmbeddedServer(layout.serving, start_timeout_s=600.0) as server,
        SoukClient(server.grpc_target, timeout_s=300.0) as client,
    ):
        for user in _people(asked):
            person = tables.person(user, at, config.splits.max_history)
            yield client.recommend(k=LENGTH, **_request(person))
        for query in words:
            yield client.search(query, timestamp=at, k=LENGTH)
        for item_id, _ in some:
            yield client.similar(item_id, k=LENGTH)


def _people(layout: HomeLayout) -> list[str]:
    """Ids evenly over the sorted users, and a stranger."""
    events = pq.read_table(layout.tables / "events.parquet", columns=[features.USER_ID])
    users = sorted(events[features.USER_ID].unique().to_pylist())
    return ["", *users[:: max(1, len(users) // NUM_PEOPLE)][:NUM_PEOPLE]]


def _request(person: Person) -> dict[str, Any]:
    events = zip(
        person.history_item_ids,
        person.history_events,
        person.history_timestamps,
        strict=True,
    )
    return {
        "user_id": person.user_id,
        "history": [HistoryEvent(*event) for event in events],
        "timestamp": person.timestamp,
        "context": person.context,
    }


def _metrics(layout: HomeLayout) -> Any:
    """Of the newest version that was measured: a refit has no period left for it."""
    versions = sorted(layout.serving.glob("[0-9]*"), key=lambda path: -int(path.name))
    found = (json.loads((path / _METADATA).read_text("utf-8")) for path in versions)
    return next((each["metrics"] for each in found if each.get("metrics")), {})


def _numbers(values: Any, prefix: str = "") -> dict[str, float]:
    """Every number of nested mappings and lists by its path."""
    if isinstance(values, dict):
        pairs = [(str(key), value) for key, value in values.items()]
    elif isinstance(values, list):
        pairs = [(str(i), value) for i, value in enumerate(values)]
    else:
        number = isinstance(values, int | float) and not isinstance(values, bool)
        return {prefix: float(values)} if number else {}
    found: dict[str, float] = {}
    for key, value in pairs:
        found |= _numbers(value, f"{prefix}/{key}")
    return found
