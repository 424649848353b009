"""A shop of twelve items whose metrics can be worked out by hand, and a fake bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import tensorflow as tf

from core import features
from core.config import ShopConfig
from trainer.data.examples import write_split
from trainer.export.requests import candidate_specs, filter_specs, person_specs

DAY = features.SECONDS_PER_DAY
CUTOFF = 1_000 * DAY
SHOP = ShopConfig(name="small", context_features=("country",))
ITEM_IDS = [f"item-{i:02d}" for i in range(12)]


def items_table() -> pa.Table:
    return pa.table(
        {
            "item_id": ITEM_IDS,
            "title": [
                f"茶壶 pot {i}" if i % 3 == 0 else f"red mug {i}" for i in range(12)
            ],
            "category": [
                "kitchen > tea" if i % 3 == 0 else "kitchen" for i in range(12)
            ],
            "price": pa.array([float(i + 1) for i in range(12)], pa.float32()),
        }
    )


def events_table(num_users: int = 40, seed: int = 3) -> pa.Table:
    """Purchases of users who like the items near their own number."""
    generator = np.random.default_rng(seed)
    rows = []
    for user in range(num_users):
        for visit in range(int(generator.integers(1, 6))):
            time = CUTOFF - int(generator.integers(1, 200)) * DAY + visit
            for item in set((user + generator.integers(0, 5, 3)) % 12):
                rows.append((f"u{user:03d}", ITEM_IDS[int(item)], time))
    rows.sort(key=lambda r: (r[0], r[2], r[1]))
    return pa.table(
        {
            "user_id": [r[0] for r in rows],
            "item_id": [r[1] for r in rows],
            "event": ["purchase"] * len(rows),
            "timestamp": pa.array([r[2] for r in rows], pa.int64()),
        }
    )


def moments_table(events: pa.Table, seed: int = 4) -> pa.Table:
    """One moment per user at CUTOFF; three targets near the user's number."""
    generator = np.random.default_rng(seed)
    frame = events.to_pandas()
    rows = []
    for number, (user, past) in enumerate(frame.groupby("user_id")):
        targets = sorted(set((int(user[1:]) + generator.integers(0, 5, 3)) % 12))
        rows.append(
            {
                "user_id": user,
                "timestamp": CUTOFF,
                "history_item_ids": list(past["item_id"]),
                "history_events": list(past["event"]),
                "history_timestamps": list(past["timestamp"]),
                "target_item_ids": [ITEM_IDS[t] for t in targets],
                "target_events": ["purchase"] * len(targets),
                "target_timestamps": [CUTOFF + 5 + i for i in range(len(targets))],
                "country": "France" if number % 4 == 0 else "Japan",
            }
        )
    return pa.Table.from_pylist(rows)


def write_examples(root: Path) -> dict[str, str]:
    """Examples artifacts of the small world: keys items, events, moments."""
    events = events_table()
    uris = {name: str(root / name) for name in ("items", "events", "moments")}
    write_split(uris["items"], "train", items_table())
    write_split(uris["events"], "train", events)
    write_split(uris["events"], "eval", events.slice(0, 0))
    write_split(uris["events"], "test", events.slice(0, 0))
    write_split(uris["moments"], "test", moments_table(events))
    return uris


class FakeBundle(tf.Module):
    """Recommends what the history holds most often, then catalogue order."""

    def __init__(self, *, gain: float = 1.0) -> None:
        super().__init__()
        self._gain = gain
        self._ids = tf.constant([*ITEM_IDS, ""])
        self._rows = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(ITEM_IDS), tf.range(len(ITEM_IDS), dtype=tf.int32)
            ),
            default_value=len(ITEM_IDS),
        )

    def _scores(self, history: tf.Tensor) -> tf.Tensor:
        held = tf.one_hot(self._rows.lookup(history), len(ITEM_IDS))
        order = tf.range(len(ITEM_IDS), 0, -1, dtype=tf.float32) / 100.0
        return self._gain * tf.reduce_sum(held, axis=1) + order

    def recommend(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        scores = self._scores(inputs["history_item_ids"])
        shown = self._rows.lookup(inputs["exclude_item_ids"])
        hidden = tf.reduce_max(tf.one_hot(shown, len(ITEM_IDS)), axis=1)
        scores -= 1e6 * hidden
        k = tf.minimum(inputs["k"], len(ITEM_IDS))
        values, rows = tf.math.top_k(scores, k)
        rows = tf.where(values > -1e5, rows, len(ITEM_IDS))
        gap = [[0, 0], [0, inputs["k"] - k]]
        return {
            "item_ids": tf.pad(tf.gather(self._ids, rows), gap),
            "scores": tf.pad(values, gap),
            "reasons": tf.pad(tf.fill(tf.shape(rows), "popular"), gap),
        }

    def rank(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        scores = self._scores(inputs["history_item_ids"])
        padded = tf.pad(scores, [[0, 0], [0, 1]])
        rows = self._rows.lookup(inputs["candidate_item_ids"])
        score = tf.gather(padded, rows, batch_dims=1)
        return {"score": score, "p_purchase": tf.sigmoid(score - 1.0)}


def save_fake_bundle(folder: Path, *, gain: float = 1.0) -> Path:
    """Saves a FakeBundle with recommend, rank and serving_default."""
    bundle = FakeBundle(gain=gain)
    recommend = tf.function(bundle.recommend)
    rank = tf.function(bundle.rank)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serving_default(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        names = ("history_item_ids", "candidate_item_ids")
        kinds = {name: tf.io.RaggedFeature(tf.string) for name in names}
        parsed = tf.io.parse_example(examples, kinds)
        return bundle.rank(**{n: parsed[n].to_tensor() for n in names})

    person = person_specs(SHOP)
    tf.saved_model.save(
        bundle,
        str(folder),
        signatures={
            "serving_default": serving_default,
            "recommend": recommend.get_concrete_function(**person, **filter_specs()),
            "rank": rank.get_concrete_function(**person, **candidate_specs()),
        },
    )
    return folder
