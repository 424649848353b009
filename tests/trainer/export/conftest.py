"""A bundle over a constructed shop, with a retriever and ranker one can follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from core import features
from core.config import ShopConfig
from core.config.bundle import BundleConfig
from core.config.funnel import FunnelConfig
from core.config.neighbours import NeighboursConfig
from core.config.search import SearchConfig
from core.features import SECONDS_PER_DAY
from tests.trainer.search.funnel_world import FakeEncoder
from trainer.export.bundle import Bundle
from trainer.export.prior_ranker import PriorRanker
from trainer.funnel.funnel import CandidateFunnel
from trainer.funnel.shelf import build_funnel
from trainer.funnel.tables import build_item_tables
from trainer.search.analyzer import Analyzer
from trainer.search.catalogue_words import CatalogueWords
from trainer.search.inverted_index import build_inverted_index
from trainer.search.lexical import LexicalIndex
from trainer.search.query_click_index import QueryClickIndex
from trainer.search.query_clicks import QueryClicks
from trainer.search.search_funnel import SearchFunnel
from trainer.search.spelling import Spelling

AS_OF = 1_700_000_000
SHOP = ShopConfig(
    name="constructed",
    event_types=("view", "purchase"),
    event_weights=(0.1, 1.0),
    context_features=("country",),
)
KINDS = ("mug", "jug", "lamp", "chair")
NUM_ITEMS = 40
TITLES = {37: "青花茶壶 number 37"}  # a jug whose title does not say so in English
# What the encoder understands, and what nobody's words say but people click.
MEANINGS = {"cup": "mug", "pitcher": "jug", "seat": "chair"}
GIFT, GIFTS = "wedding gift", (10, 13)


class FakeRetriever(tf.Module):
    """Every person is the first unit vector, and so is every item."""

    def __init__(self, num_items: int) -> None:
        super().__init__()
        vectors = tf.one_hot(tf.zeros([num_items], tf.int32), 4)
        self.item_embeddings = tf.Variable(vectors, trainable=False)

    def embed_query(self, user_ids: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
        return tf.one_hot(tf.zeros_like(user_ids, tf.int32), 4)

    def embed_item(self, item: dict[str, tf.Tensor]) -> tf.Tensor:
        return tf.one_hot(tf.zeros_like(item[features.ITEM_ID], tf.int32), 4)


class FakeRanker(tf.Module):
    """The sum of the features, so that a test can compute it."""

    def score(self, values: tf.Tensor) -> dict[str, tf.Tensor]:
        score = tf.reduce_sum(values, axis=1) / 100.0
        return {
            "score": score,
            "p_view": tf.sigmoid(score),
            "p_purchase": tf.sigmoid(score) / 2,
        }


def items() -> pa.Table:
    kinds = [KINDS[i % len(KINDS)] for i in range(NUM_ITEMS)]
    return pa.table(
        {
            "item_id": [f"i{i:02d}" for i in range(NUM_ITEMS)],
            "title": [TITLES.get(i, f"{k} number {i}") for i, k in enumerate(kinds)],
            "category": [f"Home > {kind}" for kind in kinds],
            "brand": ["acme"] * NUM_ITEMS,
            "price": pa.array([1.0 + i for i in range(NUM_ITEMS)], pa.float32()),
            "in_stock": pa.array([int(i % 5 != 0) for i in range(NUM_ITEMS)]),
        }
    )


def events() -> pa.Table:
    """User u buys half the items of kind u mod 4, and some others; the last 4 nobody.

    Drawn at random, so that no two items tie: summation order decides ties.
    """
    chances = np.random.default_rng(5).random((24, NUM_ITEMS))
    rows = [
        (f"u{user}", f"i{item:02d}", AS_OF - (1 + item) * SECONDS_PER_DAY)
        for user in range(24)
        for item in range(NUM_ITEMS - 4)
        if chances[user, item] < (0.6 if item % 4 == user % 4 else 0.1)
    ]
    return pa.table(
        {
            "user_id": [r[0] for r in rows],
            "item_id": [r[1] for r in rows],
            "event": ["purchase"] * len(rows),
            "timestamp": pa.array([r[2] for r in rows], pa.int64()),
        }
    )


def search_funnel(funnel: CandidateFunnel) -> SearchFunnel:
    """Lists so short that a filter after the cut would leave pages empty."""
    config = SearchConfig(lexical_candidates=6, dense_candidates=6, num_candidates=8)
    analyzer = Analyzer()
    inverted = build_inverted_index(items(), config.lexical, analyzer)
    near = 0.9 - 0.01 * np.arange(NUM_ITEMS)
    kinds = np.eye(len(KINDS), dtype=np.float32)[np.arange(NUM_ITEMS) % len(KINDS)]
    clicks = QueryClicks(
        as_of=AS_OF,
        num_items=NUM_ITEMS,
        queries=(GIFT,),
        splits=np.array([0, len(GIFTS)], np.int32),
        rows=np.array(GIFTS, np.int32),
        rates=np.array([0.5, 0.2], np.float32),
        counts=np.log1p([9.0, 4.0]).astype(np.float32),
    )
    spelling = Spelling(CatalogueWords(items()), inverted.terms, clicks)
    return SearchFunnel(
        funnel,
        LexicalIndex(inverted, config.lexical, analyzer, spelling),
        FakeEncoder({q: KINDS.index(k) for q, k in MEANINGS.items()}, len(KINDS)),
        (kinds * near[:, None]).astype(np.float32),
        QueryClickIndex(clicks),
        config,
    )


# With it a catalogue of any size weighs a shelf of items.
SHELF = FunnelConfig(num_candidates=32, whole_max_items=1, shelf_size=32, head_size=8)


def make_bundle(
    search_ranker: Any = None,
    *,
    static_shapes: bool = False,
    config: FunnelConfig | None = None,
) -> Bundle:
    """The shop's bundle; None: search in the first stage's order."""
    tables = build_item_tables(
        items(),
        events(),
        as_of=AS_OF,
        shop=SHOP,
        config=NeighboursConfig(num_neighbours=10, title_dim=8),
    )
    retriever = FakeRetriever(NUM_ITEMS)
    embeddings = retriever.item_embeddings.numpy()
    funnel = build_funnel(tables, embeddings, config, static_shapes=static_shapes)
    search = search_funnel(funnel)
    return Bundle(
        items=items(),
        funnel=funnel,
        retriever=retriever,
        ranker=FakeRanker(),
        shop=SHOP,
        config=BundleConfig(),
        as_of=AS_OF,
        search=search,
        search_ranker=search_ranker or PriorRanker(search.feature_names),
    )


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    return make_bundle()


@pytest.fixture(scope="session")
def saved(bundle, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("bundle")
    bundle.save(path)
    return path


@pytest.fixture(scope="session")
def loaded(saved):
    return tf.saved_model.load(str(saved))


def person(*histories: list[str], **changes: object) -> dict[str, tf.Tensor]:
    width = max((len(h) for h in histories), default=0)
    size = len(histories)
    padded = [[""] * (width - len(h)) + h for h in histories]
    ages = np.arange(width, 0, -1) * SECONDS_PER_DAY
    values = {
        "user_id": tf.constant([f"u{i}" for i in range(size)]),
        "history_item_ids": tf.reshape(tf.constant(padded, tf.string), [size, width]),
        "history_events": tf.fill([size, width], "purchase"),
        "history_timestamps": tf.constant(
            np.tile(AS_OF - ages, (size, 1)).reshape(size, width), tf.int64
        ),
        "timestamp": tf.fill([size], tf.constant(AS_OF, tf.int64)),
        "country": tf.fill([size], "France"),
    }
    return {**values, **changes}


def page(size: int, k: int = 10, **changes: object) -> dict[str, tf.Tensor]:
    return {
        "exclude_item_ids": tf.fill([size, 1], ""),
        "categories": tf.fill([size, 1], ""),
        "price_min": tf.zeros([size]),
        "price_max": tf.zeros([size]),
        "in_stock_only": tf.zeros([size], tf.bool),
        "k": tf.constant(k),
        **changes,
    }
