"""A small shop with searches, and a bundle whose pages are known."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import tensorflow as tf

from core import features
from tests.components.small_world import CUTOFF, ITEM_IDS, SHOP, items_table
from trainer.data.examples import write_split
from trainer.export.requests import filter_specs, person_specs

# What the bundle answers; any other query gets an empty page.
ANSWERS = {"tea": ["item-03", "item-07", "item-00"], "red": ["item-01", "item-02"]}


def judgments_table() -> pa.Table:
    """Grades of `tea` and `mug`; `ghost` names no item, `none` has no grade above 0."""
    rows = [
        ("tea", "item-00", 3),
        ("tea", "item-03", 1),
        ("tea", "item-05", 0),
        ("mug", "item-01", 2),
        ("ghost", "item-99", 3),
        ("none", "item-01", 0),
    ]
    return pa.table(
        {
            "query": [query for query, _, _ in rows],
            "item_id": [item for _, item, _ in rows],
            "grade": pa.array([grade for _, _, grade in rows], pa.int64()),
        }
    )


def event_tables() -> tuple[pa.Table, pa.Table]:
    """Events before and in the test period.

    Test searches with a click: u1 `tea` (clicks 00 and 03, buys 03), u2 `red` (clicks
    09, which the bundle does not show), u1 `red` (clicks 01).
    """
    past = [
        ("u1", "item-05", "click", CUTOFF - 50, "tea", "p1", "Japan"),
        ("u1", "item-06", "purchase", CUTOFF - 40, None, "p1", "Japan"),
        ("u2", "item-02", "view", CUTOFF - 30, "tea", "p2", "France"),
        ("u2", "item-01", "view", CUTOFF - 20, "red", "p3", "France"),
    ]
    test = [
        ("u1", "item-00", "view", CUTOFF + 10, "tea", "s1", "Japan"),
        ("u1", "item-03", "view", CUTOFF + 10, "tea", "s1", "Japan"),
        ("u1", "item-00", "click", CUTOFF + 12, "tea", "s1", "Japan"),
        ("u1", "item-03", "click", CUTOFF + 13, "tea", "s1", "Japan"),
        ("u1", "item-03", "purchase", CUTOFF + 20, "tea", "s1", "Japan"),
        ("u2", "item-04", "view", CUTOFF + 15, None, "s2", "France"),
        ("u2", "item-09", "click", CUTOFF + 16, "red", "s2", None),
        ("u1", "item-08", "view", CUTOFF + 30, "tea", "s3", "Japan"),  # no click
        ("u1", "item-01", "click", CUTOFF + 40, "red", "s4", "Japan"),
        ("u1", "item-99", "click", CUTOFF + 50, "mug", "s5", "Japan"),  # not sold
    ]
    return _events(past), _events(test)


def _events(rows: list[tuple]) -> pa.Table:
    names = ("user_id", "item_id", "event", "timestamp", "query", "session_id")
    columns = dict(zip((*names, "country"), zip(*rows, strict=True), strict=True))
    kinds = {features.TIMESTAMP: pa.int64()}
    return pa.table(
        {n: pa.array(v, kinds.get(n, pa.string())) for n, v in columns.items()}
    )


def write_examples(root: Path) -> dict[str, str]:
    """Examples artifacts: keys items, events, judgments."""
    uris = {name: str(root / name) for name in ("items", "events", "judgments")}
    past, test = event_tables()
    write_split(uris["items"], "train", items_table())
    write_split(uris["judgments"], "train", judgments_table())
    write_split(uris["events"], "train", past.slice(0, 3))
    write_split(uris["events"], "eval", past.slice(3))
    write_split(uris["events"], "test", test)
    return uris


class FakeSearch(tf.Module):
    """Answers a query with the page of ANSWERS; the reason is the newest history."""

    def __init__(self) -> None:
        super().__init__()
        self._pages = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(list(ANSWERS)),
                tf.constant([" ".join(page) for page in ANSWERS.values()]),
            ),
            default_value="",
        )

    def search(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        pages = tf.strings.split(self._pages.lookup(inputs["query"]))
        ids = pages.to_tensor("", shape=[None, len(ITEM_IDS)])
        ids = tf.pad(ids, [[0, 0], [0, inputs["k"]]])[:, : inputs["k"]]
        newest = inputs["history_item_ids"][:, -1:]
        return {
            "item_ids": ids,
            "scores": tf.zeros_like(ids, tf.float32),
            "reasons": tf.broadcast_to(newest, tf.shape(ids)),
        }


def save_fake_search(folder: Path) -> Path:
    """Saves a FakeSearch with the signature `search`."""
    bundle = FakeSearch()
    query = tf.TensorSpec([None], tf.string, name="query")
    search = tf.function(bundle.search).get_concrete_function(
        **person_specs(SHOP), **filter_specs(), query=query
    )
    tf.saved_model.save(bundle, str(folder), signatures={"search": search})
    return folder
