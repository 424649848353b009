"""Trains the text encoder and embeds the catalogue; free of TFX."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from components.text_encoder import embed_items
from core import features, progress
from core.config.text_encoder import TextEncoderConfig
from core.errors import ArtifactError
from trainer.data.examples import read_split
from trainer.data.log_sample import read_log, share_of_users
from trainer.text_encoder.export import save_text_encoder
from trainer.text_encoder.fit import FittedTextEncoder, fit_text_encoder
from trainer.text_encoder.hard_negatives import Bm25Miner

STEP = "TextEncoder"
REPORT_FILE = "text_encoder.json"
VECTORS_FILE = "item_vectors.npy"
_EVENT_COLUMNS = (
    features.USER_ID,
    features.ITEM_ID,
    features.EVENT,
    features.TIMESTAMP,
)


def train_encoder(
    items_uri: str,
    events_uri: str | None,
    event_splits: Sequence[str],
    *,
    model_dir: Path,
    report_dir: Path,
    vectors_dir: Path,
    config: TextEncoderConfig,
    before: int,
    pipeline: beam.Pipeline,
) -> dict[str, Any]:
    """Writes the SavedModel, the vectors of all items and the report; the report.

    Args:
      items_uri: Examples, split `train`; their order is the catalogue order.
      events_uri: Examples, or None where the shop has no events.
      event_splits: which of its splits to read.
      model_dir: the SavedModel.
      report_dir: `text_encoder.json`.
      vectors_dir: `item_vectors.npy`.
      before: seconds UTC; later events are never looked at.
      pipeline: a new Beam pipeline; runs here.

    Raises:
      ConfigError: the preset cannot be loaded.
      InputDataError: no item holds a word.
      ArtifactError: Beam did not give a vector for every item.
    """
    items = read_split(items_uri, "train")
    fitted = fit_text_encoder(
        items,
        _events(events_uri, event_splits, config.max_events),
        config,
        before=before,
        miner=Bm25Miner(items) if config.hard_negatives else None,
    )
    started = time.monotonic()
    save_text_encoder(fitted.export, model_dir)
    vectors = _embed(fitted, model_dir, vectors_dir, config, pipeline)
    seconds = time.monotonic() - started
    fitted.report["seconds"]["item_vectors"] = round(seconds, 2)
    made = progress.counted(len(vectors), "item vector")
    progress.say(STEP, f"{made} of {vectors.shape[1]} numbers")
    report_dir.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**fitted.report, "config": config.to_dict()}, indent=2)
    (report_dir / REPORT_FILE).write_text(text + "\n", "utf-8")
    np.save(vectors_dir / VECTORS_FILE, vectors)
    return fitted.report


def _events(uri: str | None, splits: Sequence[str], max_events: int) -> pa.Table | None:
    """The columns that pairs need; a shop may have no `query`, or no log."""
    if uri is None:
        return None
    share = share_of_users(uri, splits, max_events)
    return read_log(uri, splits, _EVENT_COLUMNS, share, optional=[features.QUERY])


def _embed(
    fitted: FittedTextEncoder,
    model_dir: Path,
    vectors_dir: Path,
    config: TextEncoderConfig,
    pipeline: beam.Pipeline,
) -> np.ndarray:
    parts = vectors_dir / ".parts"
    shutil.rmtree(parts, ignore_errors=True)  # of a run that was killed
    batches = embed_items.text_batches(fitted.texts, config.encode_batch)
    with pipeline as p:
        _ = (
            p
            | "Texts" >> beam.Create(batches, reshuffle=False)
            | "EmbedItems" >> embed_items.EmbedItems(str(model_dir), str(parts))
        )
    try:
        vectors = embed_items.gather_parts(
            sorted(parts.glob("*.npz")), len(fitted.texts)
        )
    except ValueError as error:
        raise ArtifactError(
            f"Every item must have a vector: {error}. Run the step again."
        ) from error
    shutil.rmtree(parts)
    return vectors
