"""What the TextEncoder step gives the Retriever: an encoder and the items' vectors."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from core.errors import ArtifactError

ITEM_VECTORS_FILE = "item_vectors.npy"
_BATCH_SIZE = 256


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextVectors:
    """n item vectors in catalogue order, and the encoder that made them."""

    item_vectors: np.ndarray  # [n, text_dim] float32, norm 1 or zero
    encoder: Any  # has embed_queries and embed_items: [B] string -> [B, text_dim]


def read_text_vectors(model_dir: str, vectors_dir: str, num_items: int) -> TextVectors:
    """Loads both.

    Args:
      model_dir: the encoder's SavedModel.
      vectors_dir: folder of `item_vectors.npy`.
      num_items: rows that it must hold.

    Raises:
      ArtifactError: the vectors are of another catalogue.
    """
    vectors = np.load(Path(vectors_dir) / ITEM_VECTORS_FILE)
    if len(vectors) != num_items:
        raise ArtifactError(
            f"`item_vectors` must hold a row per item ({num_items}). Received: "
            f"{len(vectors)} in {vectors_dir}. Run TextEncoder on the same items."
        )
    encoder = tf.saved_model.load(model_dir)
    return TextVectors(item_vectors=vectors.astype(np.float32), encoder=encoder)


def embed_distinct_queries(
    encoder: Any, queries: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Every distinct query once, in bulk.

    Args:
      encoder: has `embed_queries`.
      queries: m texts; "" has no words.

    Returns:
      vectors [q + 1, text_dim] float32, row 0 zeros; and the row of each query, [m]
      int32, 0 where it is "".
    """
    # Sorted by length, so that batches hold little padding.
    distinct = sorted(set(queries) - {""}, key=lambda text: (len(text), text))
    batches = range(0, len(distinct), _BATCH_SIZE)
    parts = [
        encoder.embed_queries(tf.constant(distinct[i : i + _BATCH_SIZE])).numpy()
        for i in batches
    ] or [encoder.embed_queries(tf.constant([""])).numpy()[:0]]
    vectors = np.concatenate(
        [np.zeros_like(parts[0], shape=(1, parts[0].shape[1])), *parts]
    )
    rows = {text: row for row, text in enumerate(distinct, start=1)}
    return vectors, np.asarray([rows.get(text, 0) for text in queries], np.int32)
