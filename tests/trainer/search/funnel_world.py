"""Twelve items whose words, meanings and clicks are known, and a funnel over them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf

from core.config import ShopConfig
from core.config.funnel import FunnelConfig
from core.config.neighbours import NeighboursConfig
from core.config.search import SearchConfig
from core.features import SECONDS_PER_DAY as DAY
from trainer.funnel.fusion import FusionWeights
from trainer.funnel.shelf import build_funnel
from trainer.funnel.tables import build_item_tables
from trainer.moment import Moment
from trainer.search.analyzer import Analyzer
from trainer.search.inverted_index import build_inverted_index
from trainer.search.lexical import LexicalIndex
from trainer.search.query_click_index import QueryClickIndex
from trainer.search.query_clicks import QueryClicks
from trainer.search.search_funnel import SIGNALS, SearchFunnel
from trainer.search.search_state import SearchState

NOW = 15_000 * DAY
SHOP = ShopConfig(
    name="words",
    event_types=("view", "click", "purchase"),
    event_weights=(0.1, 0.3, 1.0),
)
# Title, price, what it is, how near its vector is to the pure meaning.
CATALOGUE = (
    ("red enamel mug", 4.0, "mug", 0.9),
    ("blue enamel mug", 6.0, "mug", 0.8),
    ("red tin jug", 8.0, "jug", 0.9),
    ("blue glass jug", 10.0, "jug", 0.7),
    ("oil lamp", 20.0, "lamp", 0.9),
    ("blue desk lamp", 24.0, "lamp", 0.6),
    ("青花茶壶", 30.0, "teapot", 0.9),
    ("红色茶杯", 12.0, "mug", 0.7),
    ("wooden chair", 50.0, "chair", 0.9),
    ("red garden chair", 60.0, "chair", 0.8),
    ("כוס אדומה", 5.0, "mug", 0.6),
    ("plain teapot", 15.0, "teapot", 0.7),
)
N = len(CATALOGUE)
# Queries of every sort.
MANY = [
    "red",
    "blue lamp",
    "cup",
    "red mug",
    "teapot",
    "茶壶",
    "כוס",
    "enamel nothing",
    "",
]
TITLES = [title for title, *_ in CATALOGUE]
ITEM_IDS = np.array([f"i{row:02d}" for row in range(N)])
PRICES = np.array([price for _, price, *_ in CATALOGUE])
KINDS = ("mug", "jug", "lamp", "teapot", "chair")
# Whole queries that the encoder understands; it knows nothing of others.
MEANINGS = {
    "cup": "mug",
    "red mug": "mug",
    "pitcher": "jug",
    "lamp": "lamp",
    "seat": "chair",
    "teapot": "teapot",
    "茶壶": "teapot",
}
# Query, row, click rate, impressions: the desk lamp is liked, a chair strays in.
CLICKS = (
    ("lamp", 5, 0.5, 10),
    ("lamp", 8, 0.1, 3),
    ("red", 9, 0.4, 5),
)


def item_vectors() -> np.ndarray:
    """[N, 6] unit vectors: the kind's axis, the rest on an axis of no meaning."""
    vectors = np.zeros((N, len(KINDS) + 1), np.float32)
    for row, (_, _, kind, near) in enumerate(CATALOGUE):
        vectors[row, KINDS.index(kind)] = near
        vectors[row, -1] = np.sqrt(1.0 - near**2)
    return vectors


def cosines(query: str) -> np.ndarray:
    """[N] what the encoder thinks of each item for the query."""
    kind = MEANINGS.get(query)
    return np.array([near if k == kind else 0.0 for *_, k, near in CATALOGUE])


class FakeEncoder(tf.Module):
    """A query is the axis of its meaning, or nothing."""

    def __init__(self, axes: dict[str, int], width: int) -> None:
        super().__init__()
        self._width = width
        self._axes = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(list(axes)), tf.constant(list(axes.values()))
            ),
            default_value=-1,
        )

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def embed_queries(self, texts: tf.Tensor) -> tf.Tensor:
        return tf.one_hot(self._axes.lookup(texts), self._width)


class FakeTowers(tf.Module):
    """With words that the encoder knows a person wants what stands in the history.

    An item is its own axis, the last one the opposite of axis 0; a query is the sum of
    the axes in the history, or nothing.
    """

    def __init__(self, num_items: int, text_dim: int, num_contexts: int = 0) -> None:
        super().__init__()
        self._num_items = num_items
        vectors = np.eye(num_items, dtype=np.float32)
        vectors[-1] = -vectors[0]
        self.item_embeddings = tf.Variable(vectors, trainable=False)
        self.embed_search = tf.function(
            self._embed,
            input_signature=[
                tf.TensorSpec([None, text_dim], tf.float32),
                tf.TensorSpec([None], tf.string),
                tf.TensorSpec([None], tf.int64),
                tf.TensorSpec([None, None], tf.int32),
                tf.TensorSpec([None, None], tf.int32),
                tf.TensorSpec([None, None], tf.int64),
                tf.TensorSpec([None, num_contexts], tf.string),
            ],
        )

    def _embed(self, words: tf.Tensor, *moment: tf.Tensor) -> tf.Tensor:
        bought = tf.reduce_sum(tf.one_hot(moment[2], self._num_items), axis=1)
        asked = tf.reduce_max(words, axis=1, keepdims=True)
        return tf.math.l2_normalize(bought * asked, axis=1)


def items() -> pa.Table:
    return pa.table(
        {
            "item_id": ITEM_IDS,
            "title": TITLES,
            "category": [f"Home > {kind}" for _, _, kind, _ in CATALOGUE],
            "price": pa.array(PRICES, pa.float32()),
        }
    )


def events() -> pa.Table:
    """Twenty people's purchases before NOW; the last item is nobody's."""
    chosen = np.random.default_rng(1).random((20, N - 1)) < 0.3
    rows = [(f"u{u:02d}", i) for u, i in zip(*np.nonzero(chosen), strict=True)]
    return pa.table(
        {
            "user_id": [user for user, _ in rows],
            "item_id": [ITEM_IDS[i] for _, i in rows],
            "event": ["purchase"] * len(rows),
            "timestamp": pa.array([NOW - (1 + i) * DAY for _, i in rows], pa.int64()),
        }
    )


def query_clicks() -> QueryClicks:
    """The tables that CLICKS make."""
    queries = sorted({query for query, *_ in CLICKS})
    lengths = [sum(q == query for q, *_ in CLICKS) for query in queries]
    by_query = sorted(CLICKS, key=lambda entry: entry[0])
    return QueryClicks(
        as_of=NOW,
        num_items=N,
        queries=tuple(queries),
        splits=np.cumsum([0, *lengths]).astype(np.int32),
        rows=np.array([row for _, row, *_ in by_query], np.int32),
        rates=np.array([rate for *_, rate, _ in by_query], np.float32),
        counts=np.log1p([shown for *_, shown in by_query]).astype(np.float32),
    )


def search_funnel(
    config: SearchConfig | None = None,
    *,
    fusion: FusionWeights | None = None,
    cold_items: bool = True,
    towers: FakeTowers | None = None,
    shelf: bool = False,
) -> SearchFunnel:
    config = config or SearchConfig()
    tables = build_item_tables(
        items(),
        events(),
        as_of=NOW,
        shop=SHOP,
        config=NeighboursConfig(num_neighbours=5, ease_lambda=5.0, title_dim=4),
    )
    analyzer = Analyzer()
    inverted = build_inverted_index(items(), config.lexical, analyzer)
    # On a shelf there is room for all, so that only how it is made differs.
    sizes = {"num_candidates": N, "shelf_size": N, "head_size": N}
    sizes = {**sizes, "whole_max_items": 1} if shelf else {}
    return SearchFunnel(
        build_funnel(
            tables,
            None if towers is None else towers.item_embeddings.numpy(),
            FunnelConfig(cold_items=cold_items, **sizes),
        ),
        LexicalIndex(inverted, config.lexical, analyzer),
        FakeEncoder({q: KINDS.index(k) for q, k in MEANINGS.items()}, len(KINDS) + 1),
        item_vectors(),
        QueryClickIndex(query_clicks()),
        config,
        fusion,
        towers,
    )


def moment(*histories: list[int]) -> Moment:
    """People who bought these rows, the last one a day before NOW."""
    width = max([1, *map(len, histories)])
    rows = np.full((len(histories), width), N, np.int32)
    for i, history in enumerate(histories):
        rows[i, width - len(history) :] = history
    ages = np.arange(width, 0, -1) * DAY
    real = rows < N
    return Moment(
        user_ids=tf.fill([len(histories)], "someone"),
        timestamps=tf.fill([len(histories)], tf.constant(NOW, tf.int64)),
        history_rows=tf.constant(rows),
        history_events=tf.constant(np.where(real, 2, -1), tf.int32),
        history_timestamps=tf.constant(np.where(real, NOW - ages, 0), tf.int64),
        context={},
    )


def asked(
    search: SearchFunnel,
    queries: list[str],
    *,
    history: tuple[int, ...] = (),
    allowed: np.ndarray | None = None,
) -> tuple[Moment, Any, SearchState]:
    """Moment, personal state and search state of one person's queries."""
    person = moment(*[list(history)] * len(queries))
    personal = search.funnel.state(person)
    open_ = None if allowed is None else tf.constant(allowed)
    return person, personal, search.state(tf.constant(queries), person, personal, open_)


def found(
    search: SearchFunnel,
    query: str,
    *,
    history: tuple[int, ...] = (),
    allowed: np.ndarray | None = None,
) -> list[int]:
    """The query's candidates, best first."""
    narrow = None if allowed is None else allowed[None]
    _, _, state = asked(search, [query], history=history, allowed=narrow)
    return [int(row) for row in search.retrieve(state)[0] if row < N]


def dense(state: SearchState, values: tf.Tensor) -> np.ndarray:
    """[B, n] of values [B, W]: those of each item's first column, 0 without one."""
    found = np.zeros((len(values), N + 1), np.float32)
    rows = state.items.rows.numpy()
    for line, columns, here in zip(found, rows, np.asarray(values), strict=True):
        at, first = np.unique(columns, return_index=True)
        line[at] = here[first]
    return found[:, :N]


def signal(state: SearchState, name: str) -> np.ndarray:
    """[B, n] of one signal."""
    return dense(state, state.signals[:, SIGNALS.index(name)])
