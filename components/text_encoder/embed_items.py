"""Vectors of all items in bulk: the Beam side of the text encoder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt

# Row numbers in the catalogue and the texts of these rows.
TextBatch = tuple[list[int], list[str]]
VectorBatch = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]


def text_batches(texts: Sequence[str], batch_size: int) -> list[TextBatch]:
    """Batches of texts of like length: little padding in any of them."""
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    batches = (order[i : i + batch_size] for i in range(0, len(order), batch_size))
    return [(rows, [texts[row] for row in rows]) for rows in batches]


class EmbedItems(beam.PTransform):  # type: ignore[misc]
    """Text batches → one `.npz` of rows and vectors per bundle, written; its path."""

    def __init__(self, model_dir: str, out_dir: str):
        """
        Args:
          model_dir: the encoder's SavedModel, readable by every worker.
          out_dir: where the parts go, writable by every worker.
        """
        super().__init__()
        self._model_dir = model_dir
        self._out_dir = out_dir

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        return (
            batches
            | "Spread" >> beam.Reshuffle()
            | "Embed" >> beam.ParDo(_Embed(self._model_dir))
            | "Write" >> beam.ParDo(_Write(self._out_dir))
        )


class _Embed(beam.DoFn):  # type: ignore[misc]
    """Loads the SavedModel once per worker; it needs TensorFlow alone."""

    def __init__(self, model_dir: str):
        self._model_dir = model_dir
        self._model: Any = None

    def setup(self) -> None:
        import tensorflow as tf

        self._model = tf.saved_model.load(self._model_dir)

    def process(self, batch: TextBatch) -> Iterator[VectorBatch]:
        import tensorflow as tf

        rows, texts = batch
        vectors = self._model.embed_items(tf.constant(texts)).numpy()
        yield np.asarray(rows, np.int64), vectors


class _Write(beam.DoFn):  # type: ignore[misc]
    """A part is named after its first row: writing it again replaces it."""

    def __init__(self, out_dir: str):
        self._out_dir = out_dir

    def process(self, batch: VectorBatch) -> Iterator[str]:
        rows, vectors = batch
        path = Path(self._out_dir) / f"part-{rows[0]:09d}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, rows=rows, vectors=vectors)
        yield str(path)


def gather_parts(paths: Iterable[Path], num_items: int) -> npt.NDArray[np.float32]:
    """[num_items, d] float32 in catalogue order.

    Raises:
      ValueError: the parts do not hold every row exactly once.
    """
    vectors: npt.NDArray[np.float32] | None = None
    seen = np.zeros(num_items, np.int64)
    for path in paths:
        with np.load(path) as part:
            if vectors is None:
                width = part["vectors"].shape[1]
                vectors = np.zeros([num_items, width], np.float32)
            vectors[part["rows"]] = part["vectors"]
            seen[part["rows"]] += 1
    if vectors is None or not (seen == 1).all():
        raise ValueError(f"{int((seen != 1).sum())} of {num_items} rows are not there")
    return vectors
