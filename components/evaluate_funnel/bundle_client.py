"""Asks a bundle for pages through its own signatures, in batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import tensorflow as tf

from components.evaluate_funnel.test_set import IntArray
from core import features, signatures
from core.errors import ArtifactError
from core.metrics import Truth

Inputs = dict[str, npt.NDArray[np.generic]]


class BundleClient:
    """A loaded bundle that answers whole tables of moments.

    Only the inputs that a signature declares are sent, so a bundle without, say, price
    filters is asked all the same.
    """

    def __init__(self, model_dir: str | Path, item_ids: list[str], batch_size: int):
        """
        Args:
          model_dir: folder of the SavedModel.
          item_ids: the catalogue that rows in the answers refer to.
          batch_size: moments per call.
        """
        self._model = tf.saved_model.load(str(model_dir))
        self._catalogue = pd.Index([i.encode() for i in item_ids], dtype=object)
        self._batch_size = batch_size

    def recommend(
        self, moments: pa.Table, k: int, exclude: Truth | None = None
    ) -> tuple[IntArray, npt.NDArray[np.float32], npt.NDArray[np.object_]]:
        """Rows [M, k] int64 (-1 an empty place), scores [M, k], reasons [M, k] bytes.

        Args:
          moments: M moments with history and context columns.
          k: length of the page.
          exclude: catalogue rows that each moment's page must not show.
        """
        return self.pages(signatures.RECOMMEND, moments, k, exclude)

    def search(
        self, searches: pa.Table, k: int, exclude: Truth | None = None
    ) -> tuple[IntArray, npt.NDArray[np.float32], npt.NDArray[np.object_]]:
        """The same for moments with a column `query`."""
        return self.pages(signatures.SEARCH, searches, k, exclude)

    def pages(
        self, name: str, moments: pa.Table, k: int, exclude: Truth | None = None
    ) -> tuple[IntArray, npt.NDArray[np.float32], npt.NDArray[np.object_]]:
        """The same from the signature of that name."""
        num = moments.num_rows
        rows = np.full((num, k), -1, np.int64)
        scores = np.zeros((num, k), np.float32)
        reasons = np.full((num, k), b"", object)
        for chosen in self._batches(moments):
            batch = moments.take(pa.array(chosen))
            inputs = {**person_inputs(batch), **no_filters(len(chosen), k)}
            if exclude is not None:
                inputs[signatures.EXCLUDE_ITEM_IDS] = self._ids(exclude, chosen)
            answer = self._call(name, inputs)
            rows[chosen] = self._rows(answer[signatures.ITEM_IDS])
            scores[chosen] = answer[signatures.SCORES]
            reasons[chosen] = answer[signatures.REASONS]
        return rows, scores, reasons

    def rank(
        self, moments: pa.Table, candidates: IntArray, output: str
    ) -> npt.NDArray[np.float32]:
        """[M, C] float32: one output of `rank` for candidate rows [M, C] (-1 pads)."""
        result = np.zeros(candidates.shape, np.float32)
        padded = np.append(self._catalogue.to_numpy(), b"")
        for chosen in self._batches(moments):
            inputs = person_inputs(moments.take(pa.array(chosen)))
            inputs[signatures.CANDIDATE_ITEM_IDS] = padded[candidates[chosen]]
            result[chosen] = self._call(signatures.RANK, inputs)[output]
        return result

    def _batches(self, moments: pa.Table) -> Iterator[IntArray]:
        """Numbers of moments, those with histories of like length together."""
        lengths = history_lengths(moments)
        order = np.argsort(lengths, kind="stable")
        for start in range(0, len(order), self._batch_size):
            yield order[start : start + self._batch_size]

    def require(self, name: str) -> None:
        """Checks that the bundle has a signature.

        Raises:
          ArtifactError: it has not.
        """
        if name not in self._model.signatures:
            found = ", ".join(sorted(self._model.signatures))
            raise ArtifactError(
                f"The bundle must have the signature `{name}`. Received: {found}."
            )

    def _call(self, name: str, inputs: Inputs) -> dict[str, npt.NDArray[np.generic]]:
        self.require(name)
        signature = self._model.signatures[name]
        specs = signature.structured_input_signature[1]
        absent = sorted(set(specs) - set(inputs))
        tensors = {
            n: tf.constant(inputs[n], specs[n].dtype) for n in specs if n in inputs
        }
        for extra in absent:  # a context feature that the moments do not have
            shape = [len(inputs[features.USER_ID])]
            tensors[extra] = tf.zeros(shape, specs[extra].dtype)
        return {key: value.numpy() for key, value in signature(**tensors).items()}

    def _ids(self, exclude: Truth, chosen: IntArray) -> npt.NDArray[np.object_]:
        """[B, E] ids that the chosen moments exclude, padded with ''."""
        bounds = np.searchsorted(exclude.moments, np.stack([chosen, chosen + 1]))
        starts, stops = bounds
        width = max(1, int((stops - starts).max()))
        places = starts[:, np.newaxis] + np.arange(width)
        inside = places < stops[:, np.newaxis]
        rows = exclude.rows[np.where(inside, places, 0)] if len(exclude.rows) else 0
        padded = np.append(self._catalogue.to_numpy(), b"")
        ids: npt.NDArray[np.object_] = padded[np.where(inside, rows, -1)]
        return ids

    def _rows(self, ids: npt.NDArray[np.generic]) -> IntArray:
        found = self._catalogue.get_indexer(pd.Index(ids.ravel(), dtype=object))
        rows: IntArray = found.reshape(ids.shape).astype(np.int64)
        return rows


def person_inputs(moments: pa.Table) -> Inputs:
    """Person-and-moment inputs; histories padded on the left, newest last."""
    skipped = {
        features.TARGET_ITEM_IDS,
        features.TARGET_EVENTS,
        features.TARGET_TIMESTAMPS,
    }
    inputs: Inputs = {}
    for name in moments.column_names:
        column = moments.column(name).combine_chunks()
        if name in skipped:
            continue
        if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
            inputs[name] = _padded(column)
        elif pa.types.is_integer(column.type):
            inputs[name] = column.to_numpy(zero_copy_only=False).astype(np.int64)
        elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            filled = column.fill_null("")
            inputs[name] = filled.to_numpy(zero_copy_only=False).astype(object)
    return inputs


def _padded(column: pa.Array) -> npt.NDArray[np.generic]:
    """[B, H] (H >= 1) of a list column, padded on the left with '' or 0."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    values = column.flatten()
    is_text = not pa.types.is_integer(values.type)
    lengths = np.diff(column.offsets.to_numpy())
    width = max(1, int(lengths.max(initial=0)))
    result = np.full((len(column), width), "" if is_text else 0, object)
    mask = np.arange(width) >= width - lengths[:, np.newaxis]
    result[mask] = values.to_numpy(zero_copy_only=False)
    return result if is_text else result.astype(np.int64)


def history_lengths(moments: pa.Table) -> IntArray:
    """[M] int64."""
    column = moments.column(features.HISTORY_ITEM_IDS).combine_chunks()
    lengths: IntArray = np.diff(column.offsets.to_numpy()).astype(np.int64)
    return lengths


def no_filters(size: int, k: int) -> Inputs:
    return {
        signatures.EXCLUDE_ITEM_IDS: np.full([size, 1], "", object),
        signatures.CATEGORIES: np.full([size, 1], "", object),
        signatures.PRICE_MIN: np.zeros([size], np.float32),
        signatures.PRICE_MAX: np.zeros([size], np.float32),
        signatures.IN_STOCK_ONLY: np.zeros([size], bool),
        signatures.K: np.asarray(k, np.int32),
    }
