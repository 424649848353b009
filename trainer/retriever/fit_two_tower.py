"""Trial fit with early stopping, then the refit on everything."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from core import progress
from core.config.retriever import RetrieverConfig
from trainer.retriever import fit
from trainer.retriever.catalogue import Catalogue
from trainer.retriever.evaluation import query_embeddings
from trainer.retriever.model import TwoTower
from trainer.retriever.moments import MomentArrays, concatenate


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchMoments:
    """Moments with words: what people did on search pages."""

    train: MomentArrays
    evaluate: MomentArrays
    query_vectors: np.ndarray  # [q + 1, text_dim] float32; row 0 is zeros


def fit_two_tower(
    catalogue: Catalogue,
    sizes: dict[str, int],
    train: MomentArrays,
    evaluate: MomentArrays,
    config: RetrieverConfig,
    run_dir: str,
    searches: SearchMoments | None = None,
) -> tuple[TwoTower, dict[str, Any]]:
    """Trial fit with early stopping; with `refit`, a fit on all moments after it.

    `searches` join the moments that are learned from. Their recall is in the history
    too, but the moments without words decide when to stop.
    """
    vectors = None
    evaluations = [evaluate]
    if searches is not None:
        vectors = searches.query_vectors
        train = concatenate([train, searches.train])
        evaluations.append(searches.evaluate)
    model = new_model(catalogue, sizes, config, vectors)
    samples = [_sample(each, config) for each in evaluations]
    history = fit.fit(
        model,
        train,
        samples[0],
        config,
        run_dir,
        searches=samples[-1] if searches else None,
    )
    if config.refit and evaluate.num_moments:
        epochs = progress.counted(history["best_epoch"], "epoch")
        progress.say(fit.STEP, f"refit on all moments, {epochs}")
        model = new_model(catalogue, sizes, config, vectors)
        refit = fit.fit(
            model,
            concatenate([train, *evaluations]),
            None,
            config,
            str(Path(run_dir) / "refit"),
            num_epochs=history["best_epoch"],
        )
        history["refit"] = refit["epochs"]
    # Of a run that was killed behind its last epoch no layer is built yet.
    query_embeddings(model, train.take(np.arange(1)))
    history["parameters"] = model.parameter_counts()
    (Path(run_dir) / fit.HISTORY_FILE).write_text(json.dumps(history, indent=2))
    return model, history


def new_model(
    catalogue: Catalogue,
    sizes: dict[str, int],
    config: RetrieverConfig,
    query_vectors: np.ndarray | None = None,
) -> TwoTower:
    """A compiled model with fresh weights from the seed."""
    tf.keras.utils.set_random_seed(config.seed)
    model = TwoTower(config, sizes, catalogue.item_features, query_vectors)
    fit.compile_model(model)
    return model


def _sample(evaluate: MomentArrays, config: RetrieverConfig) -> MomentArrays | None:
    if evaluate.num_moments == 0:
        return None
    generator = np.random.default_rng(config.seed)
    order = generator.permutation(evaluate.num_moments)[: config.max_eval_moments]
    return evaluate.take(np.sort(order))
