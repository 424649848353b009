"""The Beam side of evaluation: batches of moments → pages of the bundles, in shards."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.utils.shared import Shared

from components import arrow_elements
from components.evaluate_funnel.bundle_client import BundleClient, history_lengths
from components.evaluate_funnel.test_set import IntArray
from core import features, signatures
from core.errors import ArtifactError
from core.metrics import Truth

_BATCHES = 8  # of the bundle's, in an element
_NUMBER, _ROWS, _SCORES = "number", "rows", "scores"
_REASONS, _SECONDS = "reasons", "seconds"


@dataclasses.dataclass(frozen=True)
class Pages:
    """Answers for M moments; k places each."""

    rows: IntArray  # [M, k], -1 an empty place
    scores: npt.NDArray[np.float32]  # [M, k]
    reasons: npt.NDArray[np.object_]  # [M, k] bytes
    seconds: float  # that the bundle took, all workers together


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    """Some moments of a view, and what their pages must not show."""

    signature: str
    view: str
    place: int  # of the element among those of the view
    numbers: IntArray  # [B] places in the view, ascending
    moments: bytes
    exclude: Truth | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class AskedBundle:
    """A bundle as every worker loads it; one loaded copy per process."""

    model_dir: str
    items_path: str  # Parquet file of the catalogue's ids
    batch_size: int
    page_length: int
    shared: Shared = dataclasses.field(default_factory=Shared)

    def client(self) -> BundleClient:
        """The process's copy."""
        found: BundleClient = self.shared.acquire(self._load)
        return found

    def _load(self) -> BundleClient:
        ids = pq.read_table(self.items_path).column(features.ITEM_ID).to_pylist()
        return BundleClient(self.model_dir, ids, self.batch_size)


def load_later(
    models: Mapping[str, str | Path],
    items: pa.Table,
    folder: Path,
    *,
    batch_size: int,
    page_length: int,
) -> dict[str, AskedBundle]:
    """The bundles as workers find them.

    Args:
      models: name → SavedModel, readable by every worker.
      items: the catalogue; its ids go into `folder`.
      folder: readable by every worker.
      batch_size: moments per call.
      page_length: k of every page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    items_path = folder / "items.parquet"
    pq.write_table(items.select([features.ITEM_ID]), items_path)
    return {
        name: AskedBundle(
            model_dir=str(model_dir),
            items_path=str(items_path),
            batch_size=batch_size,
            page_length=page_length,
        )
        for name, model_dir in models.items()
    }


def questions(
    view: str,
    moments: pa.Table,
    exclude: Truth | None,
    batch_size: int,
    signature: str = signatures.RECOMMEND,
) -> list[Question]:
    """Elements of moments with histories of like length, so that batches pad little."""
    order = np.argsort(history_lengths(moments), kind="stable")
    size, found = _BATCHES * batch_size, []
    for place, start in enumerate(range(0, len(order), size)):
        numbers = np.sort(order[start : start + size])
        chosen = np.zeros(moments.num_rows, bool)
        chosen[numbers] = True
        found.append(
            Question(
                signature=signature,
                view=view,
                place=place,
                numbers=numbers,
                moments=arrow_elements.to_bytes(moments.take(pa.array(numbers))),
                exclude=exclude.select(chosen) if exclude else None,
            )
        )
    return found


class AskBundle(beam.PTransform):  # type: ignore[misc]
    """Questions → one Parquet file of answers each, written; its path."""

    def __init__(self, bundle: AskedBundle, folder: str):
        """
        Args:
          bundle: whom to ask.
          folder: where the answers go, writable by every worker.
        """
        super().__init__()
        self._bundle = bundle
        self._folder = folder

    def expand(self, asked: beam.PCollection) -> beam.PCollection:
        return (
            asked
            | "Spread" >> beam.Reshuffle()
            | "Ask" >> beam.ParDo(_Ask(self._bundle, self._folder))
        )


class _Ask(beam.DoFn):  # type: ignore[misc]
    def __init__(self, bundle: AskedBundle, folder: str):
        self._bundle = bundle
        self._folder = folder

    def setup(self) -> None:
        self._client = self._bundle.client()

    def process(self, question: Question) -> Iterator[str]:
        start = time.monotonic()
        rows, scores, reasons = self._client.pages(
            question.signature,
            arrow_elements.from_bytes(question.moments),
            self._bundle.page_length,
            question.exclude,
        )
        seconds = (time.monotonic() - start) / max(len(rows), 1)
        table = pa.table(
            {
                _NUMBER: question.numbers,
                _ROWS: _lists(rows.ravel(), rows.shape),
                _SCORES: _lists(scores.ravel(), scores.shape),
                _REASONS: _lists(reasons.ravel(), reasons.shape),
                _SECONDS: np.full(len(rows), seconds),
            }
        )
        folder = Path(self._folder) / question.view
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"part-{question.place:05d}.parquet"
        with arrow_elements.staged(self._folder, path) as hidden:
            pq.write_table(table, hidden)  # asking again replaces it whole
        yield str(path)


def gather(folder: str, view: str, num_moments: int, page_length: int) -> Pages:
    """The answers of one view in the order of its moments.

    Raises:
      ArtifactError: a moment has no answer, or more than one.
    """
    files = sorted((Path(folder) / view).glob("part-*.parquet"))
    shape = (num_moments, page_length)
    if not files and not num_moments:
        rows, scores = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
        return Pages(rows, scores, np.full(shape, b"", object), 0.0)
    table = pa.concat_tables([pq.read_table(path) for path in files])
    numbers = table.column(_NUMBER).to_numpy()
    if not np.array_equal(np.sort(numbers), np.arange(num_moments)):
        raise ArtifactError(
            f"`{folder}` must answer each of {num_moments} moments once. Received: "
            f"{len(numbers)} answers, {len(np.unique(numbers))} of them distinct. "
            "Run the step again."
        )
    table = table.take(pa.array(np.argsort(numbers)))
    return Pages(
        rows=_matrix(table, _ROWS, shape).astype(np.int64),
        scores=_matrix(table, _SCORES, shape).astype(np.float32),
        reasons=_matrix(table, _REASONS, shape).astype(object),
        seconds=float(np.sum(table.column(_SECONDS).to_numpy())),
    )


def _lists(values: npt.NDArray[np.generic], shape: tuple[int, ...]) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(values), shape[1])


def _matrix(
    table: pa.Table, name: str, shape: tuple[int, int]
) -> npt.NDArray[np.generic]:
    flat = table.column(name).combine_chunks().flatten()
    values: npt.NDArray[np.generic] = flat.to_numpy(zero_copy_only=False)
    return values.reshape(shape)


def ask_bundles(
    bundles: Mapping[str, AskedBundle],
    asked: list[Question],
    folder: str,
    pipeline: beam.Pipeline,
) -> None:
    """Runs `pipeline`: every bundle answers every question, below `folder/NAME`."""
    with pipeline:
        for name, bundle in bundles.items():
            # A collection each: a worker holds one bundle at a time.
            _ = (
                pipeline
                | f"Questions[{name}]" >> beam.Create(asked)
                | f"AskBundle[{name}]" >> AskBundle(bundle, str(Path(folder) / name))
            )
