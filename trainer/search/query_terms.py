"""One spelling for queries that the analyzer reads alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from core.text.tokens import MAX_QUERY_CHARACTERS
from trainer.search.analyzer import Analyzer

_BATCH = 8_192


def joined_terms(analyzer: Analyzer, queries: tf.Tensor) -> tf.Tensor:
    """[B] string: the terms of queries [B] with spaces between; "" where none is left.

    "French jugs" and "the french jug!" both give "french jug".
    """
    return join_terms(analyzer(queries, MAX_QUERY_CHARACTERS))


def join_terms(terms: tf.RaggedTensor) -> tf.Tensor:
    """[B] string: terms [B, (T)] of the analyzer with spaces between."""
    return tf.strings.reduce_join(terms, axis=-1, separator=" ")


def joined_terms_of(analyzer: Analyzer, queries: Sequence[str]) -> list[str]:
    """The same for Python strings, in batches."""
    found: list[str] = []
    for start in range(0, len(queries), _BATCH):
        batch = tf.constant(list(queries[start : start + _BATCH]), tf.string)
        values = np.asarray(joined_terms(analyzer, batch).numpy())
        found.extend(value.decode() for value in values)
    return found
