"""A trained ranker made smaller: fewer neurons, fewer weights, fewer bits."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import tf_keras

from core.config.compress import CompressConfig
from core.config.ranker import RankerConfig
from core.progress import say
from trainer.compression.fine_tune import Lesson, fine_tune, steps_of
from trainer.compression.neurons import drop_neurons
from trainer.compression.prune import prunable, pruning_step, without_wrappers
from trainer.compression.quantization_aware import quantizable, take_weights
from trainer.compression.ranker_facts import outputs_of, ranker_facts
from trainer.compression.recalibrate import recalibrated
from trainer.ranker.dataset import CandidateRows, Ints
from trainer.ranker.fit import FittedRanker
from trainer.unfit_patterns import unfit_patterns

# Rows that activations are looked at on.
_SAMPLE = 8_192


def compress_ranker(
    fitted: FittedRanker,
    rows: CandidateRows,
    config: CompressConfig,
    *,
    probabilities: bool = True,
) -> tuple[FittedRanker, dict[str, Any]]:
    """The smaller ranker, and what was measured on the way.

    Neurons go first, so that what is pruned and rounded afterwards is what stays; each
    step is followed by training with the ranker it started as for a teacher.

    Args:
      fitted: the trained ranker; its own normalization is applied to `rows`.
      rows: the candidates it was trained on, raw; normalized in place.
      config: what to do.
      probabilities: whether those of the events are served, beside the score.

    Returns:
      The ranker, and JSON-able facts: parameters, zero shares, NDCG and what is served
      of probabilities on the eval moments, which both rankers have been fitted on,
      before and after.
    """
    _say_unfit_rules(fitted.model, config)
    fitted.normalizer.apply_in_place(rows.features)
    every = rows.moments("train", "recent", "eval")
    moments = rows.newest(every, fitted.config.fit_cutoffs)
    model, ranker_config, phases = _smaller(fitted, rows, moments, config)
    eval_moments = rows.moments("eval")
    before = outputs_of(fitted, rows, eval_moments)
    compressed = dataclasses.replace(fitted, model=model, config=ranker_config)
    after = outputs_of(compressed, rows, eval_moments)
    compressed = dataclasses.replace(
        compressed, calibrators=recalibrated(fitted, before.logits, after.logits)
    )
    facts_of = functools.partial(
        ranker_facts, rows=rows, moments=eval_moments, probabilities=probabilities
    )
    facts = {
        "before": facts_of(fitted, outputs=before),
        "after": facts_of(compressed, outputs=after),
        "phases": phases,
    }
    return compressed, facts


def _smaller(
    fitted: FittedRanker, rows: CandidateRows, moments: Ints, config: CompressConfig
) -> tuple[tf_keras.Model, RankerConfig, dict[str, Any]]:
    """A smaller model, its configuration, and each phase's records by epoch.

    Args:
      fitted: the teacher; left as it is.
      rows: with normalized features.
      moments: to train on.
      config: what to do.
    """
    taught = functools.partial(
        fine_tune,
        rows=rows,
        moments=moments,
        learning_rate_share=config.learning_rate_share,
        lesson=Lesson(
            teacher=fitted.model,
            score_weight=config.distillation_weight,
            probability_weight=config.probability_weight,
            label_weight=config.label_weight,
        ),
    )
    # A copy: the ranker as it was stays the teacher, and what is compared with.
    model = tf_keras.models.clone_model(fitted.model)
    model.set_weights(fitted.model.get_weights())
    ranker_config, phases = fitted.config, dict[str, Any]()
    if config.kept_neurons < 1:
        model, ranker_config = drop_neurons(
            model,
            rows.features[rows.rows_of(moments)[:_SAMPLE]],
            config=ranker_config,
            event_types=rows.event_types,
            architecture=fitted.architecture,
            kept_share=config.kept_neurons,
        )
        phases["recovery"] = taught(
            model, config=ranker_config, epochs=config.recovery_epochs, name="neurons"
        )
    if any(share for _, share in config.layer_sparsity):
        steps = steps_of(moments, ranker_config, config.pruning_epochs)
        pruned = prunable(
            model, config.layer_sparsity, steps=steps, two_of_four=config.two_of_four
        )
        phases["pruning"] = taught(
            pruned,
            config=ranker_config,
            epochs=config.pruning_epochs,
            name="pruning",
            before_step=pruning_step(pruned),
        )
        model = without_wrappers(pruned)
    if config.quantization_aware:
        aware = quantizable(model)
        phases["quantization"] = taught(
            aware,
            config=ranker_config,
            epochs=config.quantization_epochs,
            name="8 bits",
        )
        take_weights(model, aware)
    return model, ranker_config, phases


def _say_unfit_rules(model: tf_keras.Model, config: CompressConfig) -> None:
    """Reports rules that prune nothing; the default's are of all kinds of rankers."""
    own = [r for r in config.sparsity if r not in CompressConfig.sparsity]
    layers = [x.name for x in model.layers if isinstance(x, tf_keras.layers.Dense)]
    unfit = unfit_patterns((rule.partition("=")[0] for rule in own), layers)
    if unfit:
        say(
            "Compress",
            f"`sparsity`: no layer of this ranker is named {', '.join(unfit)}, there "
            f"are {', '.join(layers)}",
        )
