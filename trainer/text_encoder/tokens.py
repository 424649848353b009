"""Token ids of many texts, and batches of texts of like length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer.text_encoder.wordpiece import WordPieceTokenizer
from trainer.traced import traced

IntArray = npt.NDArray[np.int32]
_TOKENIZE_BATCH = 2_048


def tokenize(
    tokenizer: WordPieceTokenizer, texts: Sequence[str], max_tokens: int
) -> IntArray:
    """[n, max_tokens] int32, 0 behind each text's end."""
    run = traced(
        lambda batch: tokenizer(batch, max_tokens),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    ids = np.zeros([len(texts), max_tokens], np.int32)
    for start in range(0, len(texts), _TOKENIZE_BATCH):
        part = run(tf.constant(texts[start : start + _TOKENIZE_BATCH])).numpy()
        ids[start : start + len(part), : part.shape[1]] = part
    return ids


def trim(ids: IntArray) -> IntArray:
    """The rows without the columns that only pad; at least one column stays."""
    lengths = (ids > 0).sum(axis=1)
    return ids[:, : max(1, int(lengths.max(initial=1)))]


def shuffled_batches(
    lengths: npt.NDArray[np.integer], batch_size: int, rng: np.random.Generator
) -> Iterator[npt.NDArray[np.int64]]:
    """Rows of every batch of an epoch: random, yet of like length inside a batch.

    Rows are shuffled, sorted by length inside pools of 16 batches, and the batches
    shuffled again; batches differ in size by what does not divide evenly.

    Args:
      lengths: [n] of the texts.
    """
    order = rng.permutation(len(lengths))
    pool = 16 * batch_size
    batches: list[npt.NDArray[np.int64]] = []
    for start in range(0, len(order), pool):
        rows = order[start : start + pool]
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        full = max(1, len(rows) // batch_size)
        batches += np.array_split(rows, full)
    for number in rng.permutation(len(batches)):
        yield batches[number]
