"""A pretrained encoder without the layers that change least what goes through them."""

from __future__ import annotations

from typing import Any

import keras
import keras_nlp
import numpy as np
import numpy.typing as npt

from trainer.text_encoder.encoder import TextEncoder

IntArray = npt.NDArray[np.int32]
_BATCH_SIZE = 64


def layer_importances(
    encoder: TextEncoder, token_ids: IntArray
) -> npt.NDArray[np.float64]:
    """[num_layers]: 1 - the mean cosine of a token's vector before and after a layer.

    "Block influence" of Men et al., 2024 (arXiv:2403.03853): a layer that hardly turns
    the vectors is hardly missed. From 0, which changes nothing, to 2.

    Args:
      encoder: with a BertBackbone.
      token_ids: [num_texts, length] int32 of the shop's own texts; 0 pads.
    """
    backbone = encoder.backbone
    states = [backbone.embeddings_dropout.output]
    states += [layer.output for layer in backbone.transformer_layers]
    model = keras.Model(backbone.input, states)
    sums, count = np.zeros(len(states) - 1), 0
    for start in range(0, len(token_ids), _BATCH_SIZE):
        ids = token_ids[start : start + _BATCH_SIZE]
        mask = ids > 0
        found = model(
            {
                "token_ids": ids,
                "segment_ids": np.zeros_like(ids),
                "padding_mask": mask.astype(np.int32),
            }
        )
        vectors = [np.asarray(state)[mask] for state in found]
        units = [v / np.linalg.norm(v, axis=-1, keepdims=True) for v in vectors]
        for number in range(len(sums)):
            sums[number] += np.sum(units[number] * units[number + 1])
        count += int(mask.sum())
    return 1.0 - sums / max(count, 1)


def most_important(importances: npt.NDArray[np.float64], count: int) -> list[int]:
    """Numbers of the layers to keep, ascending; of equals the lower ones."""
    return sorted(np.argsort(-importances, kind="stable")[:count].tolist())


def keep_layers(encoder: TextEncoder, kept: list[int]) -> TextEncoder:
    """An encoder of these layers alone, in their order, with the same weights."""
    old = encoder.backbone
    settings = old.get_config() | {"num_layers": len(kept)}
    new = keras_nlp.models.BertBackbone.from_config(settings)
    chosen = [old.transformer_layers[number] for number in kept]
    shared = (
        "token_embedding",
        "position_embedding",
        "segment_embedding",
        "embeddings_layer_norm",
    )
    pairs = [(getattr(old, name), getattr(new, name)) for name in shared]
    pairs += zip(chosen, new.transformer_layers, strict=True)
    for source, target in pairs:
        target.set_weights(source.get_weights())
    copy_activations(chosen, new.transformer_layers)
    smaller = TextEncoder(new)
    smaller.projection = encoder.projection
    return smaller


def copy_activations(sources: list[Any], targets: list[Any]) -> None:
    """Gives layers the activation of others: a configuration does not tell it.

    BertBackbone is written with one approximation of gelu; a preset may have another.
    """
    for source, target in zip(sources, targets, strict=True):
        target._feedforward_intermediate_dense.activation = (
            source._feedforward_intermediate_dense.activation
        )
