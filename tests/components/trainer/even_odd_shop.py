"""A small shop whose people stick to even or to odd items."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

import trainer  # noqa: F401  (sets TF_USE_LEGACY_KERAS)

import tensorflow as tf  # isort: skip

from core.config.retriever import RetrieverConfig
from core.config.transform import TransformConfig

EVENT_TYPES = ("view", "purchase")
NUM_ITEMS, NUM_USERS = 40, 60
DAY = 86_400
KINDS = ("mug", "lamp")  # an item's kind is its number's parity


def item_id(i: int) -> str:
    return f"i{i:02d}"


def items() -> pa.Table:
    rows = range(NUM_ITEMS)
    prices = [None if i % 10 == 0 else float(5 + i) for i in rows]
    return pa.table(
        {
            "item_id": [item_id(i) for i in rows],
            "title": [f"{KINDS[i % 2].title()} no {i // 2}" for i in rows],
            "category": [f"Home > {KINDS[i % 2]}" for i in rows],
            "brand": pa.array([None if i % 3 else "Acme" for i in rows], pa.string()),
            "price": pa.array(prices, pa.float32()),
        }
    )


def moments(seed: int) -> pa.Table:
    """Users see and buy either even or odd items; the last item stays unseen."""
    generator = np.random.default_rng(seed)
    picks = generator.integers(0, NUM_ITEMS // 2 - 1, (NUM_USERS * 5, 4)) * 2
    users = np.arange(NUM_USERS * 5) % NUM_USERS
    items = picks + (users % 2)[:, None]
    times = (np.arange(NUM_USERS * 5) // NUM_USERS + 20) * DAY
    text, times_of = pa.large_list(pa.large_string()), pa.large_list(pa.int64())
    ids = [[item_id(i) for i in row] for row in items]
    return pa.table(
        {
            "user_id": [f"u{user}" for user in users],
            "timestamp": times,
            "history_item_ids": pa.array([row[:3] for row in ids], text),
            "history_events": pa.array([["view"] * 3] * len(ids), text),
            "history_timestamps": pa.array(
                [[int(t) - 3 * DAY, int(t) - 2 * DAY, int(t) - DAY] for t in times],
                times_of,
            ),
            "target_item_ids": pa.array([row[3:] for row in ids], text),
            "target_events": pa.array([["purchase"]] * len(ids), text),
            "country": ["UK" if user % 2 else "DE" for user in users],
        }
    )


def events(items: pa.Table, moments: pa.Table) -> pa.Table:
    ids = [row[0] for row in moments.column("target_item_ids").to_pylist()]
    of_item = items.take(pa.array([int(i[1:]) for i in ids]))
    events = pa.table(
        {
            "user_id": moments.column("user_id"),
            "timestamp": moments.column("timestamp"),
            "event": ["purchase"] * len(ids),
            "country": moments.column("country"),
        }
    )
    for name in items.column_names:
        events = events.append_column(name, of_item.column(name))
    return events


def transform_config() -> TransformConfig:
    return TransformConfig(
        event_types=EVENT_TYPES,
        context_features=("country",),
        max_title_tokens=4,
        category_levels=2,
        min_token_count=1,
        num_price_buckets=4,
    )


def retriever_config() -> RetrieverConfig:
    return RetrieverConfig(
        event_types=EVENT_TYPES,
        event_weights=(0.2, 1.0),
        context_features=("country",),
        embedding_dim=8,
        hidden_dim=16,
        content_dim=4,
        max_history=4,
        batch_size=32,
        max_epochs=4,
        learning_rate=0.1,
        eval_k=NUM_ITEMS // 2,
        steps_per_execution=2,
    )


def searches(seed: int) -> pa.Table:
    """Whoever searches for a kind buys of that kind, whatever the page shows beside."""
    table = moments(seed)
    count = table.num_rows
    kinds = np.random.default_rng(seed + 100).integers(0, 2, count)
    picks = np.random.default_rng(seed).integers(0, NUM_ITEMS // 2 - 1, count) * 2
    shown = [[item_id(p), item_id(p + 1)] for p in picks]
    text, numbers = pa.large_list(pa.large_string()), pa.large_list(pa.int64())
    table = table.drop(["target_item_ids", "target_events"])
    return (
        table.append_column("query", pa.array([KINDS[kind] for kind in kinds]))
        .append_column("shown_item_ids", pa.array(shown, text))
        .append_column(
            "shown_purchase", pa.array([[1 - k, k] for k in kinds.tolist()], numbers)
        )
    )


class KindEncoder(tf.Module):
    """Knows what a text names, also by words that the shop does not use."""

    def __init__(self) -> None:
        super().__init__()
        spec = [tf.TensorSpec([None], tf.string)]
        self.embed_queries = tf.function(self._embed, input_signature=spec)
        self.embed_items = tf.function(self._embed, input_signature=spec)

    def _embed(self, texts: tf.Tensor) -> tf.Tensor:
        lower = tf.strings.lower(texts)
        named = [
            tf.strings.regex_full_match(lower, f".*({words}).*")
            for words in ("mug|cup", "lamp|light", "nothing else")
        ]
        found = tf.cast(tf.stack(named, axis=1), tf.float32)
        return tf.math.l2_normalize(found, axis=1)
