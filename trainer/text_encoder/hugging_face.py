"""A Hugging Face BERT's settings and weights, in `BertBackbone`'s places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ConfigError
from trainer.text_encoder.safetensors_file import read_safetensors

_EXACT_GELU = "gelu"
_TANH_GELU = ("gelu_new", "gelu_pytorch_tanh", "gelu_fast")
# What wrappers put before the names of BertModel, and older names of norms.
_PREFIX = re.compile(r"^(bert\.|model\.|0\.auto_model\.)+")
_OLD_NAMES = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}


def backbone_settings(
    settings: dict[str, Any], folder: Path
) -> tuple[dict[str, Any], bool]:
    """Arguments of BertBackbone, and whether its gelu has to be the exact one.

    Raises:
      ConfigError: it is not a BERT with absolute positions and gelu.
    """
    kind = settings.get("model_type")
    activation = settings.get("hidden_act", _EXACT_GELU)
    positions = settings.get("position_embedding_type", "absolute")
    if (
        kind != "bert"
        or activation not in (_EXACT_GELU, *_TANH_GELU)
        or positions != "absolute"
    ):
        raise ConfigError(
            "`preset` must be a BERT (model_type bert) with absolute positions and "
            f"gelu. Received: {kind}, {positions} positions, {activation} in {folder}."
        )
    try:
        arguments = {
            "vocabulary_size": settings["vocab_size"],
            "num_layers": settings["num_hidden_layers"],
            "num_heads": settings["num_attention_heads"],
            "hidden_dim": settings["hidden_size"],
            "intermediate_dim": settings["intermediate_size"],
            "max_sequence_length": settings["max_position_embeddings"],
            "num_segments": settings.get("type_vocab_size", 2),
            # Fine-tuning is short and moves little.
            "dropout": 0.0,
        }
    except KeyError as error:
        raise ConfigError(
            f"`preset` must name {error} in its config.json. Received: {folder}."
        ) from error
    return arguments, activation == _EXACT_GELU


def load_weights(backbone: Any, path: Path) -> None:
    """Assigns the file's tensors to the backbone's variables.

    Raises:
      ConfigError: a tensor is missing or has another shape.
    """
    tensors = {_plain_name(n): tensor for n, tensor in read_safetensors(path).items()}
    for variable, name in _places(backbone):
        value = tensors.get(name)
        if value is None:
            raise ConfigError(
                f"`{path}` must hold the tensor {name}. Received: {len(tensors)} "
                f"tensors, such as {', '.join(sorted(tensors)[:3])}."
            )
        if name.endswith("weight") and value.ndim == 2 and "embeddings." not in name:
            value = value.T  # torch keeps [out, in]
        variable.assign(_shaped(value, tuple(variable.shape), name, path))


def _plain_name(name: str) -> str:
    name = _PREFIX.sub("", name)
    for old, new in _OLD_NAMES.items():
        name = name.replace(old, new)
    return name


def _shaped(
    value: npt.NDArray[Any], shape: tuple[int, ...], name: str, path: Path
) -> npt.NDArray[Any]:
    if value.size != np.prod(shape):
        raise ConfigError(
            f"`{path}`: {name} must have the shape {shape} of config.json. "
            f"Received: {value.shape}."
        )
    return value.reshape(shape)


def _places(backbone: Any) -> Iterator[tuple[Any, str]]:
    """Variables with the names of their tensors; the pooler is not used."""
    embeddings = "embeddings"
    yield (
        backbone.token_embedding.embeddings,
        f"{embeddings}.word_embeddings.weight",
    )
    yield (
        backbone.position_embedding.position_embeddings,
        f"{embeddings}.position_embeddings.weight",
    )
    yield (
        backbone.segment_embedding.embeddings,
        f"{embeddings}.token_type_embeddings.weight",
    )
    yield from _norm(backbone.embeddings_layer_norm, f"{embeddings}.LayerNorm")
    for number, layer in enumerate(backbone.transformer_layers):
        name = f"encoder.layer.{number}"
        attention = layer._self_attention_layer
        yield from _dense(attention.query_dense, f"{name}.attention.self.query")
        yield from _dense(attention.key_dense, f"{name}.attention.self.key")
        yield from _dense(attention.value_dense, f"{name}.attention.self.value")
        yield from _dense(attention.output_dense, f"{name}.attention.output.dense")
        yield from _norm(
            layer._self_attention_layer_norm, f"{name}.attention.output.LayerNorm"
        )
        yield from _dense(
            layer._feedforward_intermediate_dense, f"{name}.intermediate.dense"
        )
        yield from _dense(layer._feedforward_output_dense, f"{name}.output.dense")
        yield from _norm(layer._feedforward_layer_norm, f"{name}.output.LayerNorm")


def _dense(layer: Any, name: str) -> Iterator[tuple[Any, str]]:
    yield layer.kernel, f"{name}.weight"
    yield layer.bias, f"{name}.bias"


def _norm(layer: Any, name: str) -> Iterator[tuple[Any, str]]:
    yield layer.gamma, f"{name}.weight"
    yield layer.beta, f"{name}.bias"
