"""The Retriever step: artifacts in, SavedModel and run folder out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from core import progress
from core.config.retriever import RetrieverConfig
from trainer.export.retriever_export import RetrieverExport, save_retriever
from trainer.retriever import fit
from trainer.retriever.catalogue import Catalogue, read_catalogue
from trainer.retriever.model import TwoTower
from trainer.retriever.moments import MomentArrays, concatenate, read_moments
from trainer.retriever.transformed import feature_sizes


def train_retriever(
    *,
    items_uri: str,
    moments_uri: str,
    transform_uri: str,
    serving_model_dir: str,
    model_run_dir: str,
    config: RetrieverConfig,
) -> dict[str, Any]:
    """Fits the two towers, exports them and returns the training history.

    Args:
      items_uri: `items` Examples, in catalogue order.
      moments_uri: `moments` Examples with splits next_train and next_eval.
      transform_uri: the Transform step's graph.
      serving_model_dir: where the SavedModel goes.
      model_run_dir: checkpoints, TensorBoard logs, history.json.
      config: the step's settings.
    """
    transform = tft.TFTransformOutput(transform_uri)
    catalogue = read_catalogue(items_uri, transform)
    train, evaluate = (
        read_moments(moments_uri, split, catalogue, transform, config)
        for split in ("next_train", "next_eval")
    )
    pairs = f"{train.num_moments} moments, {len(train.target_rows)} targets"
    progress.say(fit.STEP, f"{catalogue.num_items} items, {pairs}")
    sizes = feature_sizes(transform)
    model, history = fit_two_tower(
        catalogue, sizes, train, evaluate, config, model_run_dir
    )
    export = RetrieverExport(model, transform, catalogue)
    save_retriever(export, serving_model_dir)
    return history


def fit_two_tower(
    catalogue: Catalogue,
    sizes: dict[str, int],
    train: MomentArrays,
    evaluate: MomentArrays,
    config: RetrieverConfig,
    run_dir: str,
) -> tuple[TwoTower, dict[str, Any]]:
    """Trial fit with early stopping; with `refit`, a fit on all moments after it."""
    model = new_model(catalogue, sizes, config)
    sample = _sample(evaluate, config)
    history = fit.fit(model, train, sample, config, run_dir)
    if config.refit and evaluate.num_moments:
        progress.say(fit.STEP, f"refit on all moments, {history['best_epoch']} epochs")
        model = new_model(catalogue, sizes, config)
        refit = fit.fit(
            model,
            concatenate([train, evaluate]),
            None,
            config,
            str(Path(run_dir) / "refit"),
            num_epochs=history["best_epoch"],
        )
        history["refit"] = refit["epochs"]
        (Path(run_dir) / fit.HISTORY_FILE).write_text(json.dumps(history, indent=2))
    return model, history


def new_model(
    catalogue: Catalogue, sizes: dict[str, int], config: RetrieverConfig
) -> TwoTower:
    """A compiled model with fresh weights from the seed."""
    tf.keras.utils.set_random_seed(config.seed)
    model = TwoTower(config, sizes, catalogue.item_features)
    fit.compile_model(model)
    return model


def _sample(evaluate: MomentArrays, config: RetrieverConfig) -> MomentArrays | None:
    if evaluate.num_moments == 0:
        return None
    generator = np.random.default_rng(config.seed)
    order = generator.permutation(evaluate.num_moments)[: config.max_eval_moments]
    return evaluate.take(np.sort(order))
