"""Quantization-aware training of the ranker's Dense layers with TF-MOT."""

from __future__ import annotations

from typing import Any

import tensorflow_model_optimization as tfmot
import tf_keras

from trainer.compression.prune import zero_share
from trainer.ranker.layers.mixture import GatedSum

_QUANTIZATION = tfmot.quantization.keras


class _InFloat(tfmot.quantization.keras.QuantizeConfig):
    """Leaves a layer as it is.

    TF-MOT rounds what feeds an annotated layer, and refuses where that is a layer it
    does not know, unless it has a configuration.
    """

    def get_weights_and_quantizers(self, layer: tf_keras.layers.Layer) -> list[Any]:
        return []

    def get_activations_and_quantizers(self, layer: tf_keras.layers.Layer) -> list[Any]:
        return []

    def set_quantize_weights(
        self, layer: tf_keras.layers.Layer, quantize_weights: list[Any]
    ) -> None:
        pass

    def set_quantize_activations(
        self, layer: tf_keras.layers.Layer, quantize_activations: list[Any]
    ) -> None:
        pass

    def get_output_quantizers(self, layer: tf_keras.layers.Layer) -> list[Any]:
        return []

    def get_config(self) -> dict[str, Any]:
        return {}


def quantizable(model: tf_keras.Model) -> tf_keras.Model:
    """The model with its Dense layers' weights and outputs rounded to 8 bits.

    Zeros of a kernel stay zeros (prune-preserving scheme). Other layers have no weights
    to store, so they are left in float, the gated sums of `mmoe` with what they give.
    """

    def annotated(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        copy = layer.__class__.from_config(layer.get_config())
        if isinstance(layer, tf_keras.layers.Dense):
            return _QUANTIZATION.quantize_annotate_layer(copy)
        if isinstance(layer, GatedSum):
            return _QUANTIZATION.quantize_annotate_layer(copy, _InFloat())
        return copy

    with _QUANTIZATION.quantize_scope({"GatedSum": GatedSum, "_InFloat": _InFloat}):
        marked = tf_keras.models.clone_model(model, clone_function=annotated)
        marked.set_weights(model.get_weights())
        scheme = tfmot.experimental.combine.Default8BitPrunePreserveQuantizeScheme()
        return _QUANTIZATION.quantize_apply(marked, scheme)


def take_weights(model: tf_keras.Model, trained: tf_keras.Model) -> None:
    """Copies what a `quantizable` model learned into the plain one it was made of.

    The kernels come as they are, not rounded: what stores them rounds with a scale per
    column, which is finer than the one per kernel that training saw.
    """
    for layer in model.layers:
        if not isinstance(layer, tf_keras.layers.Dense):
            continue
        inner = trained.get_layer(f"quant_{layer.name}").layer
        kernel = _named(trained.get_layer(f"quant_{layer.name}"), "kernel")
        before = layer.kernel.numpy()
        layer.kernel.assign(kernel * (before != 0))
        if layer.use_bias:
            layer.bias.assign(inner.bias)
        assert zero_share(layer.kernel) >= zero_share(before)


def _named(wrapper: tf_keras.layers.Layer, name: str) -> tf_keras.backend.variable:
    """The wrapper's trainable weight of that name."""
    return next(
        weight
        for weight in wrapper.trainable_weights
        if weight.name.split("/")[-1].split(":")[0] == name
    )
