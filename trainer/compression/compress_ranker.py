"""A trained ranker made smaller: fewer neurons, fewer weights, fewer bits."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from core.config.compress import CompressConfig
from trainer.compression.fine_tune import fine_tune, steps_of
from trainer.compression.neurons import drop_neurons
from trainer.compression.prune import (
    prunable,
    pruning_step,
    without_wrappers,
    zero_share,
)
from trainer.compression.quantization_aware import quantizable, take_weights
from trainer.ranker import metrics
from trainer.ranker.dataset import CandidateRows, Ints
from trainer.ranker.fit import FittedRanker
from trainer.ranker.model import split_heads

# Rows that activations are looked at on.
_SAMPLE = 8_192
_CHUNK = 16_384


def compress_ranker(
    fitted: FittedRanker, rows: CandidateRows, config: CompressConfig
) -> tuple[FittedRanker, dict[str, Any]]:
    """The smaller ranker, and what was measured on the way.

    Neurons go first, so that what is pruned and rounded afterwards is what stays; each
    step is followed by training with the ranker's loss, and the ranker it started as
    for a teacher.

    Args:
      fitted: the trained ranker; its own normalization is applied to `rows`.
      rows: the candidates it was trained on, raw; normalized in place.
      config: what to do.

    Returns:
      The ranker, and JSON-able facts: parameters, zero shares and NDCG on the eval
      moments, which both rankers have been fitted on, before and after.
    """
    fitted.normalizer.apply_in_place(rows.features)
    every = rows.moments("train", "recent", "eval")
    moments = rows.newest(every, fitted.config.fit_cutoffs)
    shared: dict[str, Any] = {
        "learning_rate_share": config.learning_rate_share,
        "teacher": fitted.model,
        "teacher_weight": config.distillation_weight,
    }
    # A copy: the ranker as it was stays the teacher, and what is compared with.
    model = tf_keras.models.clone_model(fitted.model)
    model.set_weights(fitted.model.get_weights())
    ranker_config, phases = fitted.config, {}
    if config.kept_neurons < 1:
        model, ranker_config = drop_neurons(
            model,
            rows.features[rows.rows_of(moments)[:_SAMPLE]],
            config=ranker_config,
            event_types=rows.event_types,
            architecture=fitted.architecture,
            kept_share=config.kept_neurons,
        )
        phases["recovery"] = fine_tune(
            model,
            rows,
            moments,
            config=ranker_config,
            epochs=config.recovery_epochs,
            name="neurons",
            **shared,
        )
    if any(share for _, share in config.layer_sparsity):
        steps = steps_of(moments, ranker_config, config.pruning_epochs)
        pruned = prunable(
            model, config.layer_sparsity, steps=steps, two_of_four=config.two_of_four
        )
        phases["pruning"] = fine_tune(
            pruned,
            rows,
            moments,
            config=ranker_config,
            epochs=config.pruning_epochs,
            name="pruning",
            before_step=pruning_step(pruned),
            **shared,
        )
        model = without_wrappers(pruned)
    if config.quantization_aware:
        aware = quantizable(model)
        phases["quantization"] = fine_tune(
            aware,
            rows,
            moments,
            config=ranker_config,
            epochs=config.quantization_epochs,
            name="8 bits",
            **shared,
        )
        take_weights(model, aware)
    compressed = dataclasses.replace(fitted, model=model, config=ranker_config)
    eval_moments = rows.moments("eval")
    facts = {
        "before": _facts(fitted, rows, eval_moments),
        "after": _facts(compressed, rows, eval_moments),
        "phases": phases,
    }
    return compressed, facts


def _facts(fitted: FittedRanker, rows: CandidateRows, moments: Ints) -> dict[str, Any]:
    """Parameters, zero share of each kernel, NDCG all and new."""
    kernels = {
        layer.name: zero_share(layer.kernel)
        for layer in fitted.model.layers
        if isinstance(layer, tf_keras.layers.Dense)
    }
    return {
        "hidden_units": list(fitted.config.hidden_units),
        "parameters": int(fitted.model.count_params()),
        "zero_share": kernels,
        **_ndcg(fitted, rows, moments),
    }


def _ndcg(
    fitted: FittedRanker, rows: CandidateRows, moments: Ints
) -> dict[str, float | None]:
    if not len(moments):
        return {"ndcg": None, "ndcg_new": None}
    numbers = rows.rows_of(moments)
    parts = [
        fitted.model(rows.features[numbers[start : start + _CHUNK]], training=False)
        for start in range(0, len(numbers), _CHUNK)
    ]
    logits = tf.concat(parts, axis=0)
    scores, _ = split_heads(logits, rows.event_types, fitted.config)
    found = [
        metrics.mean(
            metrics.ndcg(
                rows,
                moments,
                np.asarray(scores),
                event=fitted.config.target_event,
                top_k=fitted.config.top_k,
                new_only=new_only,
            )
        )
        for new_only in (False, True)
    ]
    return {"ndcg": found[0], "ndcg_new": found[1]}
