"""Examples/s of the Retriever against the plain TFRS tutorial loop, in one process.

    python -m benchmarks.bench_training            # about two minutes on 2 cores

Both learn two towers of the same width from the same (history, target) pairs, and both
are timed without their first (tracing) steps. The tutorial's loop looks strings up in
the model, batches them at run time and keeps FactorizedTopK on; it has no history, no
titles and no text vectors.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

import trainer  # noqa: F401  (sets TF_USE_LEGACY_KERAS)

import tensorflow as tf  # isort: skip
import tensorflow_recommenders as tfrs

from core.config.retriever import RetrieverConfig
from trainer.preprocessing import names
from trainer.retriever import fit
from trainer.retriever.catalogue import Catalogue, with_text
from trainer.retriever.fit_two_tower import new_model
from trainer.retriever.moments import MomentArrays

NUM_USERS, NUM_ITEMS, NUM_MOMENTS, HISTORY = 5_000, 4_000, 100_000, 20
TITLE_TOKENS, NUM_TOKENS, TEXT_DIM = 8, 2_000, 128
EMBEDDING_DIM = 64


def make_moments(seed: int = 0) -> MomentArrays:
    """Zipf-popular items, one target per moment."""
    generator = np.random.default_rng(seed)
    chances = 1.0 / np.arange(1, NUM_ITEMS + 1) ** 0.8
    chances /= chances.sum()

    def items(*shape: int) -> np.ndarray:
        return generator.choice(NUM_ITEMS, shape, p=chances).astype(np.int32)

    shape = (NUM_MOMENTS, HISTORY)
    return MomentArrays(
        persons={
            names.USER_ID: generator.integers(1, NUM_USERS + 1, NUM_MOMENTS),
            names.HOUR: generator.integers(0, 24, NUM_MOMENTS),
            names.WEEKDAY: generator.integers(0, 7, NUM_MOMENTS),
        },
        history_rows=items(*shape),
        history_events=np.zeros(shape, np.int32),
        history_ages=generator.integers(0, 16, shape).astype(np.int32),
        target_rows=items(NUM_MOMENTS),
        target_weights=np.ones(NUM_MOMENTS, np.float32),
        target_offsets=np.arange(NUM_MOMENTS + 1, dtype=np.int64),
    )


def make_catalogue(seed: int = 0) -> Catalogue:
    """Items with an id, a title and a text vector."""
    generator = np.random.default_rng(seed)
    tokens = generator.integers(0, NUM_TOKENS + 1, (NUM_ITEMS + 1, TITLE_TOKENS))
    text = generator.normal(size=(NUM_ITEMS, TEXT_DIM)).astype(np.float32)
    text /= np.linalg.norm(text, axis=1, keepdims=True)
    ids = np.append(np.arange(1, NUM_ITEMS + 1), 0)
    catalogue = Catalogue(
        item_ids=pa.array([str(row) for row in range(NUM_ITEMS)]),
        item_features={
            names.ITEM_ID: ids.astype(np.int32),
            names.TITLE_TOKENS: tokens.astype(np.int32),
        },
    )
    return with_text(catalogue, text)


def souk_rate(moments: MomentArrays, batch_size: int, num_epochs: int) -> float:
    """Best examples/s of an epoch after the first."""
    config = RetrieverConfig(
        embedding_dim=EMBEDDING_DIM,
        max_history=HISTORY,
        batch_size=batch_size,
        refit=False,
    )
    sizes = {names.USER_ID: NUM_USERS, names.TITLE_TOKENS: NUM_TOKENS}
    model = new_model(make_catalogue(), sizes, config)
    with tempfile.TemporaryDirectory() as folder:
        history = fit.fit(model, moments, None, config, folder, num_epochs)
    return max(e["examples_per_second"] for e in history["epochs"][1:])


class TutorialModel(tfrs.Model):
    """The retrieval model of TensorFlow Recommenders' first tutorial."""

    def __init__(self, user_ids: np.ndarray, item_ids: np.ndarray) -> None:
        super().__init__()
        self.user_model = _tutorial_tower(user_ids)
        self.item_model = _tutorial_tower(item_ids)
        items = tf.data.Dataset.from_tensor_slices(item_ids)
        metric = tfrs.metrics.FactorizedTopK(items.batch(128).map(self.item_model))
        self.task = tfrs.tasks.Retrieval(metrics=metric)

    def compute_loss(
        self, features: dict[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        return self.task(
            self.user_model(features["user_id"]), self.item_model(features["item_id"])
        )


def _tutorial_tower(ids: np.ndarray) -> tf.keras.Sequential:
    lookup = tf.keras.layers.StringLookup(vocabulary=ids, mask_token=None)
    table = tf.keras.layers.Embedding(len(ids) + 1, EMBEDDING_DIM)
    return tf.keras.Sequential([lookup, table])


def tutorial_rate(moments: MomentArrays, batch_size: int, num_steps: int) -> float:
    """Examples/s of `num_steps` steps after three of warm-up."""
    user_ids = np.arange(1, NUM_USERS + 1).astype(str)
    item_ids = np.arange(NUM_ITEMS).astype(str)
    model = TutorialModel(user_ids, item_ids)
    model.compile(optimizer=tf.keras.optimizers.Adagrad(0.1))
    rows = {
        "user_id": moments.persons[names.USER_ID].astype(str),
        "item_id": moments.target_rows.astype(str),
    }
    data = tf.data.Dataset.from_tensor_slices(rows).shuffle(NUM_MOMENTS)
    data = data.batch(batch_size, drop_remainder=True).cache().repeat()
    model.fit(data, steps_per_epoch=max(3, NUM_MOMENTS // batch_size // 20), verbose=0)
    started = time.perf_counter()
    model.fit(data, steps_per_epoch=num_steps, verbose=0)
    return num_steps * batch_size / (time.perf_counter() - started)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch-size", type=int, default=1024)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--tutorial-steps", type=int, default=20)
    options = parser.parse_args(arguments)
    moments = make_moments()
    tutorial = tutorial_rate(moments, options.batch_size, options.tutorial_steps)
    print(f"TFRS tutorial loop   {tutorial:10,.0f} examples/s", flush=True)
    souk = souk_rate(moments, options.batch_size, options.epochs)
    print(f"souk Retriever       {souk:10,.0f} examples/s")
    print(f"ratio                {souk / tutorial:10.1f} x")


if __name__ == "__main__":
    main()
