"""What people did becomes pairs of texts that belong together."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from core import features
from core.config.text_encoder import TextEncoderConfig
from core.text.units import completion_key

# What an event after a search says about the item; views say nothing.
EVENT_WEIGHTS = {features.CLICK: 1.0, features.CART: 2.0, features.PURCHASE: 4.0}
# Purchases of one person at most so far apart in their order: long baskets give a
# number of pairs linear in their length, not quadratic.
_MAX_LAG = 20


@dataclasses.dataclass(frozen=True)
class Pairs:
    """P weighted pairs of rows."""

    left: npt.NDArray[np.int64]  # [P] row of the query, or of the first item
    right: npt.NDArray[np.int64]  # [P] row of the item
    weights: npt.NDArray[np.float32]  # [P], mean 1

    @property
    def num_pairs(self) -> int:
        return len(self.left)

    def heaviest(self, most: int) -> Pairs:
        """At most so many, the heaviest; ties by order."""
        if self.num_pairs <= most:
            return self
        keep = np.sort(np.argsort(-self.weights, kind="stable")[:most])
        return make_pairs(self.left[keep], self.right[keep], self.weights[keep])


@dataclasses.dataclass(frozen=True)
class TrainingPairs:
    """Pairs of both kinds."""

    queries: tuple[str, ...]  # distinct by `query_key`, in order of first use
    query_items: Pairs  # left: rows of `queries`
    item_items: Pairs  # left: rows of items, left < right
    # As `query_items`, with those too that are not trained on: none is a negative.
    query_hits: Pairs


def training_pairs(
    items: pa.Table,
    events: pa.Table | None,
    config: TextEncoderConfig,
    *,
    before: int,
) -> TrainingPairs:
    """Pairs of the events strictly before a time.

    Args:
      items: canonical items; rows of the pairs are rows of this table.
      events: canonical events, or None; `query` may be absent.
      before: seconds UTC; later events are never looked at.
    """
    if events is None or not events.num_rows:
        return TrainingPairs((), no_pairs(), no_pairs(), no_pairs())
    wanted = [
        features.USER_ID,
        features.ITEM_ID,
        features.EVENT,
        features.TIMESTAMP,
        features.QUERY,
    ]
    frame = events.select([c for c in wanted if c in events.column_names]).to_pandas()
    frame = frame[frame[features.TIMESTAMP] < before]
    ids = pd.Index(items.column(features.ITEM_ID).to_pandas())
    frame = frame.assign(row=ids.get_indexer(frame[features.ITEM_ID]))
    frame = frame[frame["row"] >= 0]
    queries, hits = _query_items(frame)
    trained = hits.heaviest(config.max_pairs)
    return TrainingPairs(queries, trained, _item_items(frame, config), hits)


def query_key(query: str) -> str:
    """What spellings of one query share: the folded words, as the tokenizer reads them.

    >>> query_key("SOFA-bed "), query_key("sofa bed"), query_key("?")
    ('sofa bed', 'sofa bed', '?')
    """
    return completion_key(query) or query.strip()


def make_pairs(
    left: npt.ArrayLike, right: npt.ArrayLike, weights: npt.ArrayLike
) -> Pairs:
    """Pairs whose weights are scaled to a mean of 1."""
    scaled = np.asarray(weights, np.float32)
    if len(scaled):
        scaled = scaled / max(float(scaled.mean()), 1e-9)
    return Pairs(np.asarray(left, np.int64), np.asarray(right, np.int64), scaled)


def no_pairs() -> Pairs:
    return make_pairs([], [], [])


def _query_items(frame: pd.DataFrame) -> tuple[tuple[str, ...], Pairs]:
    """Distinct (query, item) with 1 + log of their summed event weights.

    A query is written as it was first.
    """
    if features.QUERY not in frame:
        return (), no_pairs()
    text = frame[features.QUERY].fillna("").str.strip()
    used = frame.assign(
        text=text, weight=frame[features.EVENT].map(EVENT_WEIGHTS).fillna(0.0)
    )
    used = used[(used["text"] != "") & (used["weight"] > 0)]
    keys = used["text"].map({text: query_key(text) for text in used["text"].unique()})
    queries = used["text"][~keys.duplicated()]
    used = used.assign(query=pd.factorize(keys)[0])
    sums = used.groupby(["query", "row"], sort=False)["weight"].sum().reset_index()
    pairs = make_pairs(sums["query"], sums["row"], 1.0 + np.log(sums["weight"]))
    return tuple(map(str, queries)), pairs


def _item_items(frame: pd.DataFrame, config: TextEncoderConfig) -> Pairs:
    """Items that the same person bought within `cobought_days`, distinct pairs."""
    bought = frame[frame[features.EVENT] == features.PURCHASE]
    bought = bought.sort_values([features.USER_ID, features.TIMESTAMP], kind="stable")
    users = bought[features.USER_ID].to_numpy()
    times = bought[features.TIMESTAMP].to_numpy()
    rows = bought["row"].to_numpy()
    limit = config.cobought_days * features.SECONDS_PER_DAY
    left, right = [], []
    for lag in range(1, min(_MAX_LAG, len(rows))):
        near = (users[lag:] == users[:-lag]) & (times[lag:] - times[:-lag] <= limit)
        near &= rows[lag:] != rows[:-lag]
        left.append(rows[:-lag][near])
        right.append(rows[lag:][near])
    if not left:
        return no_pairs()
    pairs = np.stack([np.concatenate(left), np.concatenate(right)], axis=1)
    pairs, counts = np.unique(np.sort(pairs, axis=1), axis=0, return_counts=True)
    return make_pairs(pairs[:, 0], pairs[:, 1], 1.0 + np.log(counts))
