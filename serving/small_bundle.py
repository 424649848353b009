"""A small SavedModel with the bundle's signatures, for tests and the load test.

Its weights are random but its graph is the funnel's: history to query vector, scan of
all items, filters, the best 200, a ranker over them, the page. Its search counts the
words of the query that a title has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from core import features, signatures

_STRINGS = tf.TensorSpec([None, None], tf.string)
_STRING = tf.TensorSpec([None], tf.string)
_K = tf.TensorSpec([], tf.int32, name=signatures.K)
_CANDIDATES = 200
_DECAY = 0.9  # per history slot, counted from the newest
_COLOURS = ("red", "green", "blue", "white")
_THINGS = ("lamp", "vase", "rug")


def _named(spec: tf.TensorSpec, name: str) -> tf.TensorSpec:
    return tf.TensorSpec(spec.shape, spec.dtype, name=name)


class SmallBundle(tf.Module):
    """The signatures over items with random embeddings; `titles` by item id."""

    def __init__(
        self,
        *,
        titles: Mapping[str, str],
        embedding_dim: int = 32,
        context: str,
        seed: int,
    ) -> None:
        super().__init__()
        random = np.random.default_rng(seed)
        self.num_items = num_items = len(titles)
        self.context = context
        self.ids = tf.constant([*titles, ""])
        self.rows = _table(list(titles), num_items)
        words = [title.lower().split() for title in titles.values()]
        vocabulary = sorted({word for each in words for word in each})
        self.words = _table(vocabulary, -1)
        self.words_of_items = tf.constant(
            [[float(word in each) for word in vocabulary] for each in words]
        )
        self.categories = _table([f"category-{i}" for i in range(10)], -2)
        self.category = tf.constant(np.arange(num_items, dtype=np.int32) % 10)
        self.price = tf.constant(np.arange(1, num_items + 1, dtype=np.float32))
        self.in_stock = tf.constant(np.arange(num_items) % 7 != 0)
        weights = _random_weights(random, num_items, embedding_dim)
        self.embeddings, self.hidden, self.hidden2, self.last = map(
            tf.Variable, weights
        )

    def query(self, user_id: tf.Tensor, history: tf.Tensor) -> tf.Tensor:
        """[B, d] from the history, newest last, and a little of the user's id."""
        rows = self.rows.lookup(history)
        width = tf.shape(rows)[1]
        age = tf.cast(width - 1 - tf.range(width), tf.float32)
        weights = tf.pow(_DECAY, age) * tf.cast(rows < self.num_items, tf.float32)
        summed = tf.reduce_sum(
            tf.gather(self.embeddings, rows) * weights[..., tf.newaxis], axis=1
        )
        bucket = tf.strings.to_hash_bucket_fast(user_id, self.num_items)
        person = tf.gather(self.embeddings, tf.cast(bucket, tf.int32))
        return tf.math.l2_normalize(summed + 0.1 * person, axis=1)

    def score(self, query: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """[B, C] ranking scores in (0, 1)."""
        items = tf.gather(self.embeddings, rows)
        crossed = tf.concat([items, items * query[:, tf.newaxis]], axis=2)
        hidden = tf.nn.swish(tf.einsum("bcf,fh->bch", crossed, self.hidden))
        hidden = tf.nn.swish(tf.einsum("bch,hg->bcg", hidden, self.hidden2))
        return tf.sigmoid(tf.einsum("bcg,g->bc", hidden, self.last))

    def matches(self, texts: tf.Tensor) -> tf.Tensor:
        """[B, n] how many words of each text [B] an item's title has."""
        words = tf.strings.split(tf.strings.lower(texts, encoding="utf-8"))
        numbers = self.words.lookup(words.to_tensor(""))
        size = self.words_of_items.shape[1]
        counts = tf.reduce_sum(tf.one_hot(numbers, size), axis=1)
        return tf.matmul(counts, self.words_of_items, transpose_b=True)

    def page(
        self,
        query: tf.Tensor,
        allowed: tf.Tensor,
        k: tf.Tensor,
        reason: str,
        matches: tf.Tensor | None = None,
    ) -> dict[str, tf.Tensor]:
        """The best k of the allowed items; those with more `matches` [B, n] first."""
        scan = tf.matmul(query, self.embeddings[:-1], transpose_b=True)
        if matches is None:
            matches = tf.zeros_like(scan)
        # cosines lie in [-1, 1], scores in (0, 1): one match more outweighs both
        scan = tf.where(allowed, scan + 3.0 * matches, -1e9)
        found, rows = tf.math.top_k(scan, k=min(_CANDIDATES, self.num_items))
        scores = self.score(query, rows) + tf.gather(matches, rows, batch_dims=1)
        scores = tf.where(found > -1e8, scores, -1.0)
        k = tf.minimum(tf.clip_by_value(k, 0, signatures.MAX_K), tf.shape(rows)[1])
        best, picks = tf.math.top_k(scores, k=k)
        shown = best >= 0
        page = tf.where(shown, tf.gather(rows, picks, batch_dims=1), self.num_items)
        return {
            signatures.ITEM_IDS: tf.gather(self.ids, page),
            signatures.SCORES: tf.where(shown, best, 0.0),
            signatures.REASONS: tf.where(shown, reason, ""),
        }

    def allowed(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """[B, n] bool: what the filters of a request leave."""
        excluded = self.rows.lookup(inputs[signatures.EXCLUDE_ITEM_IDS])
        kept = tf.reduce_all(
            excluded[..., tf.newaxis] != tf.range(self.num_items), axis=1
        )
        names = inputs[signatures.CATEGORIES]
        wanted = self.categories.lookup(names)[..., tf.newaxis]
        in_category = tf.reduce_any(wanted == self.category, axis=1)
        any_category = tf.reduce_all(names == "", axis=1, keepdims=True)
        low = inputs[signatures.PRICE_MIN][:, tf.newaxis]
        high = inputs[signatures.PRICE_MAX][:, tf.newaxis]
        in_price = (self.price >= low) & ((self.price <= high) | (high <= 0))
        in_stock = self.in_stock | ~inputs[signatures.IN_STOCK_ONLY][:, tf.newaxis]
        return kept & (in_category | any_category) & in_price & in_stock

    def signatures(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """The signatures of architecture.md, section 4, that a small model can have."""
        person = {
            features.USER_ID: _STRING,
            features.HISTORY_ITEM_IDS: _STRINGS,
            features.HISTORY_EVENTS: _STRINGS,
            features.HISTORY_TIMESTAMPS: tf.TensorSpec([None, None], tf.int64),
            features.TIMESTAMP: tf.TensorSpec([None], tf.int64),
            self.context: _STRING,
        }
        filters = {
            signatures.EXCLUDE_ITEM_IDS: _STRINGS,
            signatures.CATEGORIES: _STRINGS,
            signatures.PRICE_MIN: tf.TensorSpec([None], tf.float32),
            signatures.PRICE_MAX: tf.TensorSpec([None], tf.float32),
            signatures.IN_STOCK_ONLY: tf.TensorSpec([None], tf.bool),
            signatures.K: _K,
        }

        def recommend(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
            query = self.query(
                inputs[features.USER_ID], inputs[features.HISTORY_ITEM_IDS]
            )
            allowed = self.allowed(inputs)
            return self.page(query, allowed, inputs[signatures.K], "similar")

        def search(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
            query = self.query(
                inputs[features.USER_ID], inputs[features.HISTORY_ITEM_IDS]
            )
            matches = self.matches(inputs[features.QUERY])
            allowed = self.allowed(inputs) & (matches > 0)
            return self.page(
                query, allowed, inputs[signatures.K], "matches your words", matches
            )

        def similar(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
            item_id = inputs[features.ITEM_ID]
            query = self.query(tf.fill(tf.shape(item_id), ""), item_id[:, tf.newaxis])
            allowed = self.allowed(inputs)
            return self.page(query, allowed, inputs[signatures.K], "similar")

        def rank(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
            query = self.query(
                inputs[features.USER_ID], inputs[features.HISTORY_ITEM_IDS]
            )
            rows = self.rows.lookup(inputs[signatures.CANDIDATE_ITEM_IDS])
            score = self.score(query, rows)
            return {signatures.SCORE: score, signatures.probability("purchase"): score}

        def serving_default(examples: tf.Tensor) -> dict[str, tf.Tensor]:
            spec = {features.ITEM_ID: tf.io.FixedLenFeature([], tf.string, "")}
            ids = tf.io.parse_example(examples, spec)[features.ITEM_ID]
            price = tf.gather(tf.pad(self.price, [[0, 1]]), self.rows.lookup(ids))
            return {signatures.SCORE: price[:, tf.newaxis]}

        words = {features.QUERY: _STRING}
        candidates = {signatures.CANDIDATE_ITEM_IDS: _STRINGS}
        item = {features.ITEM_ID: _STRING}
        return {
            signatures.RECOMMEND: _concrete(recommend, {**person, **filters}),
            signatures.SEARCH: _concrete(search, {**person, **words, **filters}),
            signatures.SIMILAR: _concrete(similar, {**item, **filters}),
            signatures.RANK: _concrete(rank, {**person, **candidates}),
            signatures.SERVING_DEFAULT: tf.function(
                serving_default
            ).get_concrete_function(_named(_STRING, signatures.EXAMPLES)),
        }


def _concrete(function: Callable[..., Any], specs: dict[str, tf.TensorSpec]) -> Any:
    named = {name: _named(spec, name) for name, spec in specs.items()}
    return tf.function(function).get_concrete_function(**named)


def _table(keys: list[str], default: int) -> tf.lookup.StaticHashTable:
    initializer = tf.lookup.KeyValueTensorInitializer(
        tf.constant(keys), tf.range(len(keys), dtype=tf.int32)
    )
    return tf.lookup.StaticHashTable(initializer, default)


def _random_weights(
    random: np.random.Generator, num_items: int, dim: int
) -> list[np.ndarray]:
    embeddings = random.normal(size=(num_items + 1, dim))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    embeddings[-1] = 0
    shapes = [(2 * dim, 64), (64, 32)]
    hidden = [random.normal(size=s) / np.sqrt(s[0]) for s in shapes]
    last = random.normal(size=32)
    return [w.astype(np.float32) for w in (embeddings, *hidden, last)]


def small_titles(num_items: int) -> dict[str, str]:
    """Made-up titles by item id: item i has colour i % 4 and is thing i % 3.

    >>> small_titles(2)
    {'item-00000': 'red lamp', 'item-00001': 'green vase'}
    """
    return {
        f"item-{i:05d}": f"{_COLOURS[i % 4]} {_THINGS[i % 3]}" for i in range(num_items)
    }


def save_small_bundle(
    path: str | Path,
    *,
    num_items: int = 200,
    titles: Mapping[str, str] | None = None,
    context: str = "country",
    seed: int = 0,
) -> Path:
    """Saves a small bundle into the version folder `path`, complete before visible.

    Args:
      num_items: of made-up items, where there are no `titles`.
      titles: by item id.
      context: the one context feature.
    """
    path = Path(path)
    titles = titles or small_titles(num_items)
    bundle = SmallBundle(titles=titles, context=context, seed=seed)
    partial = path.parent / f".partial-{path.name}"
    tf.saved_model.save(bundle, str(partial), signatures=bundle.signatures())
    partial.rename(path)
    return path
