"""Every vector scored, stored in 8 bits, the short list again in float16."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer.funnel.candidates import top_rows

FloatArray = npt.NDArray[np.float32]


class Codes(NamedTuple):
    """Vectors in 8 bits: codes times scale."""

    codes: npt.NDArray[np.int8]  # [n, d]
    scales: FloatArray  # [n]


def encode(vectors: FloatArray) -> Codes:
    """Each vector's largest number becomes 127."""
    largest = np.abs(vectors).max(axis=1, initial=0.0)
    scales = np.maximum(largest, 1e-12) / 127.0
    codes = np.rint(vectors / scales[:, None]).astype(np.int8)
    return Codes(codes, scales.astype(np.float32))


class ExactIndex(tf.Module):
    """Inner products with all vectors.

    The product reads a float copy of the codes that lives for the call; what is stored
    and loaded is a quarter. Of the best `shortlist` the float16 vectors decide.
    """

    def __init__(self, vectors: FloatArray, *, shortlist: int = 200) -> None:
        """Args:
        vectors: [n, d] float32.
        shortlist: how many are scored again.
        """
        super().__init__(name="exact_index")
        stored = encode(vectors)
        self.codes = tf.Variable(
            np.ascontiguousarray(stored.codes.T), trainable=False, name="codes"
        )
        self.scales = tf.Variable(stored.scales, trainable=False, name="scales")
        self.vectors = tf.Variable(
            vectors.astype(np.float16), trainable=False, name="vectors"
        )
        self.shortlist = min(shortlist, len(vectors))

    def best(self, queries: tf.Tensor, k: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Scores [B, k] float32 and rows [B, k] int32 of the nearest, best first.

        Args:
          queries: [B, d] float32.
          k: at most `shortlist`.
        """
        codes = tf.cast(self.codes, tf.float32)
        scores = tf.matmul(queries, codes) * self.scales
        _, rows = top_rows(scores, max(self.shortlist, k))
        return rescored(queries, self.vectors, rows, k)


def rescored(
    queries: tf.Tensor, vectors: tf.Variable, rows: tf.Tensor, k: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """The k best of rows [B, C] by their own vectors: scores and rows, [B, k] each.

    Rows below 0 are pads and come last, with a score of -1e9.
    """
    found = tf.cast(tf.gather(vectors, tf.maximum(rows, 0)), tf.float32)  # [B, C, d]
    scores = tf.linalg.matvec(found, queries)
    scores = tf.where(rows >= 0, scores, -1e9)
    best, picks = tf.math.top_k(scores, k)
    return best, tf.gather(rows, picks, batch_dims=1)
