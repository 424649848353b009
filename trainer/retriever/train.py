"""The Retriever step: artifacts in, SavedModel and run folder out."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_transform as tft

from core import progress
from core.config.retriever import RetrieverConfig
from core.errors import ArtifactError
from trainer.export.retriever_export import RetrieverExport, save_retriever
from trainer.retriever import fit
from trainer.retriever.catalogue import read_catalogue, with_text
from trainer.retriever.fit_two_tower import fit_two_tower
from trainer.retriever.moments import read_moments
from trainer.retriever.search_moments import read_search_moments
from trainer.retriever.text_vectors import read_text_vectors
from trainer.retriever.transformed import feature_sizes


def train_retriever(
    *,
    items_uri: str,
    moments_uri: str,
    transform_uri: str,
    serving_model_dir: str,
    model_run_dir: str,
    config: RetrieverConfig,
    text_encoder_dir: str | None = None,
    item_vectors_uri: str | None = None,
    searches_uri: str | None = None,
) -> dict[str, Any]:
    """Fits the two towers, exports them and returns the training history.

    Raises:
      ArtifactError: no item, or no moment to learn from.

    Args:
      items_uri: `items` Examples, in catalogue order.
      moments_uri: `moments` Examples with splits next_train and next_eval.
      transform_uri: the Transform step's graph.
      serving_model_dir: where the SavedModel goes.
      model_run_dir: checkpoints, TensorBoard logs, history.json.
      config: the step's settings.
      text_encoder_dir: SavedModel of TextEncoder; None: towers without text.
      item_vectors_uri: folder of its `item_vectors.npy`; given with it.
      searches_uri: `searches` Examples, moments with words; read with the encoder only.
    """
    transform = tft.TFTransformOutput(transform_uri)
    catalogue = read_catalogue(items_uri, transform)
    text = searches = None
    if text_encoder_dir and item_vectors_uri:
        text = read_text_vectors(
            text_encoder_dir, item_vectors_uri, catalogue.num_items
        )
        catalogue = with_text(catalogue, text.item_vectors)
        if searches_uri:
            searches = read_search_moments(
                searches_uri, text.encoder, catalogue, transform, config
            )
    train, evaluate = (
        read_moments(moments_uri, split, catalogue, transform, config)
        for split in ("next_train", "next_eval")
    )
    if train.num_moments == 0:
        raise ArtifactError(
            f"`next_train` must hold a moment with a known target. Received: none in "
            f"{moments_uri}. Give the shop a longer training period (SplitConfig)."
        )
    pairs = (
        f"{progress.counted(train.num_moments, 'moment')}, "
        f"{progress.counted(len(train.target_rows), 'target')}"
    )
    if searches is not None:
        pairs += f", {progress.counted(searches.train.num_moments, 'search page')}"
    progress.say(fit.STEP, f"{progress.counted(catalogue.num_items, 'item')}, {pairs}")
    sizes = feature_sizes(transform)
    # Beside the run's own folder, whose name changes from one execution to the next: a
    # killed run's successor goes on there, if it learns the same from the same.
    unfinished = Path(model_run_dir).parent / "unfinished"
    learned_from = (catalogue.item_features, sizes, train, evaluate, searches)
    run_dir = unfinished / fingerprint(config, *learned_from)
    model, history = fit_two_tower(
        catalogue, sizes, train, evaluate, config, str(run_dir), searches
    )
    export = RetrieverExport(model, transform, catalogue, text and text.encoder)
    save_retriever(export, serving_model_dir)
    shutil.copytree(run_dir, model_run_dir, dirs_exist_ok=True)
    shutil.rmtree(unfinished, ignore_errors=True)
    return history


def fingerprint(config: RetrieverConfig, *learned_from: Any) -> str:
    """Tells fits apart: by settings, and by the arrays in dataclasses and dicts."""
    digest = hashlib.sha256(config.to_json().encode())

    def add(value: Any) -> None:
        if dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                add(getattr(value, field.name))
        elif isinstance(value, dict):
            for name in sorted(value):
                digest.update(name.encode())
                add(value[name])
        elif value is not None:
            array = np.ascontiguousarray(value)
            digest.update(f"{array.dtype}{array.shape}".encode())
            is_text = array.dtype == object  # its memory holds addresses
            digest.update(repr(array.tolist()).encode() if is_text else array.data)

    for each in learned_from:
        add(each)
    return digest.hexdigest()[:16]
