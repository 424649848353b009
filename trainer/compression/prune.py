"""Magnitude pruning with TF-MOT, driven by the ranker's own training loop."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch
from typing import Any

import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras

Rules = Sequence[tuple[str, float]]
# Share of the steps after which the zeros are chosen; the rest recovers.
_ENDS_AT = 0.6
_UPDATES = 20


def prunable(
    model: tf_keras.Model, rules: Rules, *, steps: int, two_of_four: bool = False
) -> tf_keras.Model:
    """The model with the chosen Dense layers wrapped for pruning.

    Args:
      model: a functional model.
      rules: pattern of a layer's name and the share of zeros, or, in 2:4, whether.
      steps: of the training that follows; sparsity rises along a cubic up to 60 % of
        them.
      two_of_four: 2 zeros in each 4 weights of a kernel's row instead of a share.

    Returns:
      A model that trains as before once `pruning_step` is called before each step.
    """
    end = max(int(steps * _ENDS_AT), 1)
    frequency = max(end // _UPDATES, 1)

    def wrapped(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        share = next((s for p, s in rules if fnmatch(layer.name, p)), 0.0)
        if not isinstance(layer, tf_keras.layers.Dense) or not share:
            return layer
        if two_of_four:
            schedule = tfmot.sparsity.keras.ConstantSparsity(0.5, 0, end, frequency)
            return tfmot.sparsity.keras.prune_low_magnitude(
                layer, schedule, sparsity_m_by_n=(2, 4)
            )
        schedule = tfmot.sparsity.keras.PolynomialDecay(
            0.0, share, 0, end, frequency=frequency
        )
        return tfmot.sparsity.keras.prune_low_magnitude(layer, schedule)

    def clone(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        return wrapped(layer.__class__.from_config(layer.get_config()))

    copy = tf_keras.models.clone_model(model, clone_function=clone)
    # Cloning starts afresh; layers come in the same order.
    for old, new in zip(model.layers, copy.layers, strict=True):
        getattr(new, "layer", new).set_weights(old.get_weights())
    return copy


def pruning_step(model: tf_keras.Model) -> Any:
    """What must be called before each training step of a `prunable` model."""
    callback = tfmot.sparsity.keras.UpdatePruningStep()
    callback.set_model(model)
    callback.on_train_begin()
    return lambda: callback.on_train_batch_begin(batch=-1)


def without_wrappers(model: tf_keras.Model) -> tf_keras.Model:
    """The plain model, its masks applied."""
    for layer in model.layers:
        if hasattr(layer, "pruning_obj"):
            layer.pruning_obj.weight_mask_op()
    return tfmot.sparsity.keras.strip_pruning(model)


def zero_share(kernel: Any) -> float:
    """Share of exact zeros."""
    return float((np.asarray(kernel) == 0).mean())
