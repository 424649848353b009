"""A two-level index in the graph: near cells first, then what lies in them."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.errors import ConfigError
from trainer.funnel.candidates import top_rows
from trainer.funnel.integer_tables import integers
from trainer.retrieval_scale.exact_index import encode, rescored
from trainer.retrieval_scale.k_means import FloatArray, cells


@dataclasses.dataclass(frozen=True, kw_only=True)
class CellTable:
    """Vectors laid out by cell, P places each."""

    centres: FloatArray  # [L, d] means of the cells' vectors
    rows: npt.NDArray[np.int32]  # [L, P], -1 pads
    codes: npt.NDArray[np.int8]  # [L, P, d]
    scales: FloatArray  # [L, P]


def build_cells(
    vectors: FloatArray, *, cell_size: int = 64, seed: int = 0
) -> CellTable:
    """Cells of at most `cell_size` near vectors.

    Args:
      vectors: [n, d] float32, n >= 1.

    Raises:
      ConfigError: no vectors, or cells of no size.
    """
    if len(vectors) == 0 or cell_size < 1:
        raise ConfigError(
            "`vectors` must hold one at least and `cell_size` must be >= 1. Received: "
            f"{len(vectors)} vectors, {cell_size}."
        )
    found = cells(vectors, cell_size, np.random.default_rng(seed))
    stored = encode(vectors)
    shape = (len(found), cell_size)
    rows = np.full(shape, -1, np.int32)
    for cell, members in enumerate(found):
        rows[cell, : len(members)] = members
    return CellTable(
        centres=np.stack([vectors[members].mean(axis=0) for members in found]),
        rows=rows,
        codes=np.where(rows[:, :, None] >= 0, stored.codes[rows], 0).astype(np.int8),
        scales=np.where(rows >= 0, stored.scales[rows], 0.0).astype(np.float32),
    )


class PartitionedIndex(tf.Module):
    """Nearest vectors among those of the `num_probes` nearest cells.

    Every shape but the batch is static, a probe is one run of memory, and every op has
    a GPU kernel.

    ```
    index = PartitionedIndex(build_cells(vectors), vectors, num_probes=32)
    scores, rows = index.best(queries, k=100)
    ```
    """

    def __init__(
        self,
        table: CellTable,
        vectors: FloatArray,
        *,
        num_probes: int,
        shortlist: int = 200,
    ) -> None:
        """Args:
        table: of `build_cells(vectors)`.
        vectors: [n, d] float32, kept in float16 for the short list.
        num_probes: cells that a query looks into.
        shortlist: how many of what it finds are scored again.
        """
        super().__init__(name="partitioned_index")
        self.num_cells, self.cell_size = table.rows.shape
        self.num_probes = min(num_probes, self.num_cells)
        self.shortlist = min(shortlist, self.num_probes * self.cell_size)
        dim = vectors.shape[1]
        self.dim = dim
        self.centres = _fixed(np.ascontiguousarray(table.centres.T), "centres")
        # One row per cell: a gather then copies one run per probe.
        self.codes = _fixed(table.codes.reshape(self.num_cells, -1), "cell_codes")
        self.scales = _fixed(table.scales, "cell_scales")
        # Plus one, for uint32: 0 pads a cell.
        self.rows = _fixed((table.rows + 1).astype(np.uint32), "cell_rows")
        self.vectors = _fixed(vectors.astype(np.float16), "vectors")

    def best(self, queries: tf.Tensor, k: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Scores [B, k] float32 and rows [B, k] int32, best first; -1 where too few.

        Args:
          queries: [B, d] float32.
          k: at most the short list.
        """
        probed = top_rows(tf.matmul(queries, self.centres), self.num_probes)[1]
        places = self.num_probes * self.cell_size
        codes = tf.cast(tf.gather(self.codes, probed), tf.float32)
        codes = tf.reshape(codes, [-1, places, self.dim])
        scales = tf.reshape(tf.gather(self.scales, probed), [-1, places])
        # Integers before the gather: of uint32 it has a GPU kernel on variables alone.
        rows = tf.gather(integers(self.rows), probed)
        rows = tf.reshape(rows, [-1, places]) - 1
        scores = tf.linalg.matvec(codes, queries) * scales
        scores = tf.where(rows >= 0, scores, -1e9)
        picks = tf.math.top_k(scores, max(self.shortlist, k)).indices
        found = tf.gather(rows, picks, batch_dims=1)
        return rescored(queries, self.vectors, found, k)


def choose_probes(
    table: CellTable,
    vectors: FloatArray,
    queries: FloatArray,
    *,
    k: int,
    recall: float = 0.98,
) -> tuple[int, float]:
    """The smallest power of two of probes that reaches a recall, and what it reaches.

    Queries differ much in how many cells their neighbours lie in, so the mean over a
    few says little: the lower end of its one-sided 95 % interval has to reach it.

    Args:
      queries: [q, d] held out of the vectors; some hundreds.
      recall: share of the exact k nearest that must be found.

    Returns:
      The probes, all cells where fewer do not reach it; the mean recall of these.
    """
    exact = exact_rows(vectors, queries, k)
    probes = 1
    while True:
        index = PartitionedIndex(
            table, vectors, num_probes=probes, shortlist=max(2 * k, 200)
        )
        if probes * index.cell_size >= k:
            found = np.concatenate(
                [
                    index.best(tf.constant(queries[i : i + 16]), k)[1].numpy()
                    for i in range(0, len(queries), 16)
                ]
            )
            each = recalls_of(found, exact)
            surely = each.mean() - 1.645 * each.std() / np.sqrt(len(each))
            if surely >= recall or probes >= index.num_cells:
                return index.num_probes, float(each.mean())
        probes *= 2


def exact_rows(
    vectors: FloatArray, queries: FloatArray, k: int
) -> npt.NDArray[np.int64]:
    """[q, k] rows of the largest inner products, by NumPy."""
    scores = queries @ vectors.T
    top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1)
    return np.take_along_axis(top, order, axis=1)


def recall_of(found: npt.NDArray[np.integer], exact: npt.NDArray[np.integer]) -> float:
    """Share of the exact rows that were found."""
    return float(recalls_of(found, exact).mean())


def recalls_of(
    found: npt.NDArray[np.integer], exact: npt.NDArray[np.integer]
) -> npt.NDArray[np.float64]:
    """[q] share of each query's exact rows [q, k] that were found."""
    hits = [len(set(f) & set(e)) for f, e in zip(found, exact, strict=True)]
    return np.array(hits) / exact.shape[1]


def _fixed(values: npt.NDArray[np.generic], name: str) -> tf.Variable:
    return tf.Variable(values, trainable=False, name=name)
