"""The Retriever step: artifacts in, SavedModel and run folder out."""

from __future__ import annotations

from typing import Any

import tensorflow_transform as tft

from core import progress
from core.config.retriever import RetrieverConfig
from core.errors import ArtifactError
from trainer.export.retriever_export import RetrieverExport, save_retriever
from trainer.retriever import fit
from trainer.retriever.catalogue import read_catalogue
from trainer.retriever.fit_two_tower import fit_two_tower
from trainer.retriever.moments import read_moments
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

    Raises:
      ArtifactError: no item, or no moment to learn from.

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
    if train.num_moments == 0:
        raise ArtifactError(
            f"`next_train` must hold a moment with a known target. Received: none in "
            f"{moments_uri}. Give the shop a longer training period (SplitConfig)."
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
