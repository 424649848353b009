"""Pretrained encoders from a local folder, and the adapters that fine-tune them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import keras
import keras_nlp

from core.config.text_encoder import TextEncoderConfig
from core.errors import ConfigError
from trainer.text_encoder.encoder import TextEncoder
from trainer.text_encoder.hugging_face import backbone_settings, load_weights
from trainer.text_encoder.normalization import BERT_CASED, BERT_UNCASED
from trainer.text_encoder.prune_layers import copy_activations
from trainer.text_encoder.wordpiece import WordPieceTokenizer

_CONFIG = "config.json"
_KERAS_WEIGHTS = ("model.weights.h5", "model.weights.json")
_KERAS_TOKENIZER = "tokenizer.json"
_KERAS_VOCABULARY = Path("assets", "tokenizer", "vocabulary.txt")
_HF_WEIGHTS = "model.safetensors"
_HF_VOCABULARY = "vocab.txt"
_HF_TOKENIZER = "tokenizer_config.json"


def load_preset(config: TextEncoderConfig) -> tuple[TextEncoder, WordPieceTokenizer]:
    """The encoder and the tokenizer of `config.preset`.

    A keras preset folder (`save_to_preset` of a BertBackbone and a BertTokenizer) or a
    Hugging Face folder of a BERT (`config.json`, `model.safetensors`, `vocab.txt`).

    Raises:
      ConfigError: the folder is neither, or holds another architecture.
    """
    keras.utils.set_random_seed(config.seed)  # of adapters and of a projection
    folder = Path(config.preset).expanduser()
    if any((folder / name).is_file() for name in _KERAS_WEIGHTS):
        backbone = _keras_backbone(folder)
        tokenizer = _keras_tokenizer(folder)
    elif (folder / _HF_WEIGHTS).is_file():
        backbone = _hugging_face_backbone(folder)
        tokenizer = _hugging_face_tokenizer(folder)
    else:
        raise ConfigError(
            f"`preset` must be a keras preset folder ({_CONFIG}, {_KERAS_WEIGHTS[0]}, "
            f"{_KERAS_VOCABULARY}) or a Hugging Face BERT folder ({_CONFIG}, "
            f"{_HF_WEIGHTS}, {_HF_VOCABULARY}). Received: {folder} with "
            f"{_listing(folder)}. Name the folder that holds the weights."
        )
    _check(folder, backbone, tokenizer, config)
    return TextEncoder(backbone, config.output_dim), tokenizer


def enable_lora(encoder: TextEncoder, rank: int) -> None:
    """Leaves only low-rank adapters (Hu et al., 2021) of the attention trainable.

    `Backbone.enable_lora` puts them beside the query and value kernels; it leaves the
    biases of these layers trainable, which are frozen here.
    """
    encoder.backbone.enable_lora(rank)
    for variable in encoder.backbone.trainable_variables:
        if not variable.name.startswith("lora_"):
            variable.trainable = False


def merge_lora(encoder: TextEncoder) -> TextEncoder:
    """An encoder without adapters that answers the same: they are added to the kernels.

    Keras merges them when it writes the weights.
    """
    backbone = keras_nlp.models.BertBackbone.from_config(encoder.backbone.get_config())
    copy_activations(encoder.backbone.transformer_layers, backbone.transformer_layers)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "merged.weights.h5")
        encoder.backbone.save_weights(path)
        backbone.load_weights(path)
    merged = TextEncoder(backbone)
    merged.projection = encoder.projection
    return merged


def _keras_backbone(folder: Path) -> Any:
    settings = _json(folder / _CONFIG)
    name = str(settings.get("class_name"))
    if name != "BertBackbone":
        raise ConfigError(
            f"`preset` must hold a BertBackbone. Received: {name} in {folder}. "
            "Convert the weights, or use a BERT preset."
        )
    try:
        return keras_nlp.models.BertBackbone.from_preset(str(folder))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(
            f"`preset` must be a complete keras preset: {error} ({folder}). "
            "Write it again with `save_to_preset`."
        ) from error


def _keras_tokenizer(folder: Path) -> WordPieceTokenizer:
    settings = _json(folder / _KERAS_TOKENIZER).get("config", {})
    vocabulary = _lines(folder / _KERAS_VOCABULARY)
    return _tokenizer(vocabulary, bool(settings.get("lowercase", False)))


def _hugging_face_backbone(folder: Path) -> Any:
    settings, exact_gelu = backbone_settings(_json(folder / _CONFIG), folder)
    backbone = keras_nlp.models.BertBackbone(**settings)
    if exact_gelu:  # BertBackbone has the tanh approximation
        for layer in backbone.transformer_layers:
            layer._feedforward_intermediate_dense.activation = keras.activations.gelu
    load_weights(backbone, folder / _HF_WEIGHTS)
    return backbone


def _hugging_face_tokenizer(folder: Path) -> WordPieceTokenizer:
    path = folder / _HF_TOKENIZER
    settings = _json(path) if path.is_file() else {}
    lower_case = bool(settings.get("do_lower_case", True))
    # None: accents go where letters are lower-cased, as here.
    strips = settings.get("strip_accents")
    apart = settings.get("tokenize_chinese_chars", True)
    if strips not in (None, lower_case) or not apart:
        raise ConfigError(
            "`preset` must strip accents where it lower-cases and there alone, and set "
            f"Chinese characters apart. Received in {path}: strip_accents {strips}, "
            f"do_lower_case {lower_case}, tokenize_chinese_chars {apart}. "
            "Use another BERT."
        )
    return _tokenizer(_lines(folder / _HF_VOCABULARY), lower_case)


def _tokenizer(vocabulary: list[str], lower_case: bool) -> WordPieceTokenizer:
    return WordPieceTokenizer(
        vocabulary,
        normalization=BERT_UNCASED if lower_case else BERT_CASED,
        add_special_tokens=True,
    )


def _check(
    folder: Path,
    backbone: Any,
    tokenizer: WordPieceTokenizer,
    config: TextEncoderConfig,
) -> None:
    if tokenizer.vocabulary_size > backbone.vocabulary_size:
        raise ConfigError(
            f"`preset` must have an embedding for every piece of its vocabulary. "
            f"Received: {tokenizer.vocabulary_size} pieces, "
            f"{backbone.vocabulary_size} embeddings in {folder}."
        )
    longest = max(config.max_query_tokens, config.max_item_tokens)
    if longest > backbone.max_sequence_length:
        raise ConfigError(
            f"`max_item_tokens` and `max_query_tokens` must be at most "
            f"{backbone.max_sequence_length}, what the preset reads. "
            f"Received: {longest}."
        )


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"`preset` must hold {path.name} as JSON: {error}. Copy the folder again."
        ) from error


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").removesuffix("\n").split("\n")
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"`preset` must hold the vocabulary as {path.name}: {error}. "
            "Copy the folder again."
        ) from error


def _listing(folder: Path) -> str:
    if not folder.is_dir():
        return "no such folder"
    names = sorted(path.name for path in folder.iterdir())
    return ", ".join(names[:8]) or "nothing in it"
