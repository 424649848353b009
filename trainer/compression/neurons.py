"""A narrower ranker: the least important neurons of each hidden layer left out."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import tf_keras

from core.config.ranker import RankerConfig
from trainer.ranker.model import build_ranker

Floats = npt.NDArray[np.float32]
# Widths stay multiples of it: whole vector registers, and groups of 2:4 sparsity.
_STEP = 8


def drop_neurons(
    model: tf_keras.Model,
    features: Floats,
    *,
    config: RankerConfig,
    event_types: tuple[str, ...],
    architecture: str,
    kept_share: float,
) -> tuple[tf_keras.Model, RankerConfig]:
    """A smaller model of the same kind, and the settings that build it.

    A neuron's importance is the mean of its absolute activation times the norms of the
    weights that lead to and from it. Experts lose the same neurons, since their outputs
    are added.

    Args:
      model: `build_ranker`'s, without dropout.
      features: [N, F] float32 normalized rows to see activations on.
      config: that the model was built with.
      event_types: of the shop.
      architecture: of the model.
      kept_share: of each hidden layer's neurons, in (0, 1].
    """
    widths = tuple(_kept_width(width, kept_share) for width in config.hidden_units)
    smaller_config = config.replace(hidden_units=widths)
    smaller = build_ranker(
        num_features=int(model.input_shape[-1]),
        event_types=event_types,
        config=smaller_config.replace(dropout=0.0),
        architecture=architecture,
    )
    before: npt.NDArray[np.int64] | None = None  # of the layer before; None: all inputs
    for depth, names in enumerate(_layers_by_depth(model, config)):
        following = _following(model, config, depth)
        importance = sum(_importance(model, n, following, features) for n in names)
        kept = np.sort(np.argsort(-importance, kind="stable")[: widths[depth]])
        for name in names:
            kernel, bias = model.get_layer(name).get_weights()
            kernel = kernel if before is None else kernel[before]
            smaller.get_layer(name).set_weights([kernel[:, kept], bias[kept]])
        before = kept
    assert before is not None  # there is at least one hidden layer
    last = config.hidden_units[-1]
    for layer in smaller.layers:
        if layer.name.startswith("head_"):
            kernel, bias = model.get_layer(layer.name).get_weights()
            kernel = np.concatenate([kernel[before], kernel[last:]])
            layer.set_weights([kernel, bias])
        elif layer.weights and not re.match(r"(trunk|bottom|expert)_", layer.name):
            layer.set_weights(model.get_layer(layer.name).get_weights())
    return smaller, smaller_config


def _kept_width(width: int, share: float) -> int:
    wanted = -(-max(round(width * share), 1) // _STEP) * _STEP
    return min(width, wanted)


def _layers_by_depth(model: tf_keras.Model, config: RankerConfig) -> list[list[str]]:
    """Names of the Dense layers of each hidden depth."""
    trunk = [[f"trunk_{i}"] for i in range(len(config.hidden_units) - 1)]
    last = [
        layer.name
        for layer in model.layers
        if re.fullmatch(r"(bottom|expert_\d+)_0", layer.name)
    ]
    return [*trunk, last]


def _following(model: tf_keras.Model, config: RankerConfig, depth: int) -> list[str]:
    """Dense layers that read the layers at `depth`."""
    depths = _layers_by_depth(model, config)
    if depth + 1 < len(depths):
        return depths[depth + 1]
    return [layer.name for layer in model.layers if layer.name.startswith("head_")]


def _importance(
    model: tf_keras.Model, name: str, following: list[str], features: Floats
) -> Floats:
    kernel = model.get_layer(name).get_weights()[0]
    width = kernel.shape[1]
    outgoing = np.concatenate(
        [model.get_layer(n).get_weights()[0][:width] for n in following], axis=1
    )
    inner = tf_keras.Model(model.input, model.get_layer(f"{name}_swish").output)
    activation = np.abs(inner(features, training=False).numpy()).mean(axis=0)
    norms = np.linalg.norm(kernel, axis=0) * np.linalg.norm(outgoing, axis=1)
    importance: Floats = activation * norms
    return importance
