"""A bundle over a constructed shop, with a retriever and ranker one can follow."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from core import features
from core.config import ShopConfig
from core.config.bundle import BundleConfig
from core.config.funnel import FunnelConfig
from core.config.neighbours import NeighboursConfig
from core.features import SECONDS_PER_DAY
from trainer.export.bundle import Bundle
from trainer.funnel.funnel import CandidateFunnel
from trainer.funnel.tables import build_item_tables

AS_OF = 1_700_000_000
SHOP = ShopConfig(
    name="constructed",
    event_types=("view", "purchase"),
    event_weights=(0.1, 1.0),
    context_features=("country",),
)
KINDS = ("mug", "jug", "lamp", "chair")
NUM_ITEMS = 40


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
            "title": [f"{kind} number {i}" for i, kind in enumerate(kinds)],
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


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    tables = build_item_tables(
        items(),
        events(),
        as_of=AS_OF,
        shop=SHOP,
        config=NeighboursConfig(num_neighbours=10, title_dim=8),
    )
    retriever = FakeRetriever(NUM_ITEMS)
    return Bundle(
        items=items(),
        funnel=CandidateFunnel(
            tables, retriever.item_embeddings.numpy(), FunnelConfig()
        ),
        retriever=retriever,
        ranker=FakeRanker(),
        shop=SHOP,
        config=BundleConfig(),
        as_of=AS_OF,
    )
