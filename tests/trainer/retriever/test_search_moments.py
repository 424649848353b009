"""Search pages as moments: targets by hand, each query embedded once."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

import trainer  # noqa: F401  (sets TF_USE_LEGACY_KERAS)

import tensorflow as tf  # isort: skip

from core.config.retriever import RetrieverConfig
from trainer.retriever.search_moments import with_targets
from trainer.retriever.text_vectors import embed_distinct_queries

CONFIG = RetrieverConfig(
    event_types=("view", "click", "purchase"), event_weights=(0.1, 0.5, 1.0)
)


def _pages(*pages: tuple[list[str], list[int], list[int]]) -> pa.Table:
    text, numbers = pa.large_list(pa.large_string()), pa.large_list(pa.int64())
    return pa.table(
        {
            "shown_item_ids": pa.array([page[0] for page in pages], text),
            "shown_click": pa.array([page[1] for page in pages], numbers),
            "shown_purchase": pa.array([page[2] for page in pages], numbers),
        }
    )


def test_targets_are_what_was_done_and_its_heaviest_event() -> None:
    found = with_targets(
        _pages(
            (["a", "b", "c"], [1, 0, 1], [0, 0, 1]),
            (["d"], [0], [0]),  # shown only: no target
            ([], [], []),
            (["e", "a"], [0, 1], [1, 0]),
        ),
        CONFIG,
    )
    ids = found.column("target_item_ids").to_pylist()
    assert ids == [["a", "c"], [], [], ["e", "a"]]
    events = found.column("target_events").to_pylist()
    assert events == [["click", "purchase"], [], [], ["purchase", "click"]]


def test_no_pages_have_no_targets() -> None:
    assert with_targets(_pages(), CONFIG).num_rows == 0


class _Lengths:
    """Embeds a text as its length, and counts what it was asked."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def embed_queries(self, texts: tf.Tensor) -> tf.Tensor:
        self.seen += texts.numpy().tolist()
        length = tf.cast(tf.strings.length(texts), tf.float32)
        return tf.stack([length, -length], axis=1)


def test_each_query_is_embedded_once() -> None:
    encoder = _Lengths()
    queries = ["mug", "", "lamp", "mug", "a big mug"]
    vectors, rows = embed_distinct_queries(encoder, queries)
    assert sorted(encoder.seen) == [b"a big mug", b"lamp", b"mug"]
    assert (vectors[0] == 0).all() and vectors.dtype == np.float32
    assert vectors[rows, 0].tolist() == [3, 0, 4, 3, 9]


def test_without_words_only_the_zero_row_is_left() -> None:
    vectors, rows = embed_distinct_queries(_Lengths(), ["", ""])
    assert vectors.tolist() == [[0.0, 0.0]] and rows.tolist() == [0, 0]
