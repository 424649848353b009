"""Items and events become a fitted text encoder: the whole of the training."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core import progress
from core.config.text_encoder import FROZEN, LORA, SCRATCH, TextEncoderConfig
from core.errors import ConfigError
from trainer.text_encoder.contrastive import STEP, fine_tune
from trainer.text_encoder.encoder import TextEncoder, count_parameters, new_encoder
from trainer.text_encoder.export import TextEncoderExport
from trainer.text_encoder.item_text import item_texts
from trainer.text_encoder.pairs import TrainingPairs, training_pairs
from trainer.text_encoder.preset import enable_lora, load_preset, merge_lora
from trainer.text_encoder.pretrain import pretrain
from trainer.text_encoder.prune_layers import (
    IntArray,
    keep_layers,
    layer_importances,
    most_important,
)
from trainer.text_encoder.title_pairs import add_title_pairs
from trainer.text_encoder.tokens import tokenize
from trainer.text_encoder.vocabulary import count_words, learn_vocabulary
from trainer.text_encoder.wordpiece import WordPieceTokenizer

# (queries, k) → for each query up to k rows of items that its words find, best first.
Miner = Callable[[Sequence[str], int], Sequence[npt.ArrayLike]]
# Of the time budget; fine-tuning has what is left.
_PRETRAIN_SHARE = 0.4
# Mined per query; the step draws `hard_negatives` of them.
_MINED = 30
# Texts of items, and as many queries, that tell which layers matter.
_TEXTS_THAT_JUDGE = 512


@dataclasses.dataclass(frozen=True)
class FittedTextEncoder:
    """What training gives."""

    export: TextEncoderExport
    texts: list[str]  # [n] of the items, catalogue order
    report: dict[str, Any]  # JSON-able: parameters, losses, timings


def fit_text_encoder(
    items: pa.Table,
    events: pa.Table | None,
    config: TextEncoderConfig,
    *,
    before: int,
    miner: Miner | None = None,
) -> FittedTextEncoder:
    """Vocabulary or preset, pretraining, fine-tuning; ready to save.

    Args:
      items: canonical items; their order is the catalogue order.
      events: canonical events, or None: then made-up queries are fine-tuned on
        (`title_pairs`), or with a preset nothing: it stays as it is (`frozen`), as
        wherever events make no pairs.
      before: seconds UTC; later events are never looked at.
      miner: finds hard negatives, used where `config.hard_negatives` > 0.

    Raises:
      ConfigError: the preset cannot be loaded.
      InputDataError: no text holds a word.
    """
    started = time.monotonic()
    texts = item_texts(items)
    pairs = training_pairs(items, events, config, before=before)
    if config.train_mode == SCRATCH and pairs.query_items.num_pairs < len(texts):
        pairs = add_title_pairs(pairs, items, config)
    encoder, tokenizer = _start(texts, pairs, config)
    prepared = time.monotonic()
    query_ids = tokenize(tokenizer, pairs.queries, config.max_query_tokens)
    item_ids = tokenize(tokenizer, texts, config.max_item_tokens)
    encoder, layers = _pruned(encoder, item_ids, query_ids, config)
    mode = _mode(pairs, config)
    report: dict[str, Any] = {
        "mode": mode,
        "vocabulary_size": tokenizer.vocabulary_size,
        "output_dim": encoder.output_dim,
        "layers": layers,
        "pairs": {
            "queries": len(pairs.queries),
            "query_items": pairs.query_items.num_pairs,
            "item_items": pairs.item_items.num_pairs,
        },
    }
    if mode == SCRATCH:
        report["pretrain"] = pretrain(
            encoder,
            tokenizer,
            _one_below_the_other(item_ids, query_ids),
            config,
            _PRETRAIN_SHARE * config.time_budget_s,
        )
    total = count_parameters(encoder.weights)
    if mode == LORA:
        enable_lora(encoder, config.lora_rank)
    trainable = 0 if mode == FROZEN else count_parameters(encoder.trainable_variables)
    report["parameters"] = {"total": total, "trainable": trainable}
    progress.say(STEP, f"{mode}: {trainable:,} of {total:,} parameters train")
    if mode != FROZEN:
        mined = None
        if miner is not None and config.hard_negatives:
            mined = miner(pairs.queries, _MINED)
        left = config.time_budget_s - (time.monotonic() - started)
        report["contrastive"] = fine_tune(
            encoder, query_ids, item_ids, pairs, config, max(left, 1.0), mined
        )
    if mode == LORA:
        encoder = merge_lora(encoder)
    report["seconds"] = {
        "vocabulary": round(prepared - started, 2),
        "total": round(time.monotonic() - started, 2),
    }
    return FittedTextEncoder(
        TextEncoderExport(encoder, tokenizer, config), texts, report
    )


def _pruned(
    encoder: TextEncoder,
    item_ids: IntArray,
    query_ids: IntArray,
    config: TextEncoderConfig,
) -> tuple[TextEncoder, dict[str, Any]]:
    """The encoder with the layers that `config` keeps, and what is known of each.

    Raises:
      ConfigError: it has fewer.
    """
    num_layers = len(encoder.backbone.transformer_layers)
    if config.kept_layers > num_layers:
        raise ConfigError(
            f"`kept_layers` must be at most {num_layers}, the layers of the preset. "
            f"Received: {config.kept_layers}."
        )
    if config.kept_layers in (0, num_layers):
        return encoder, {"kept": list(range(num_layers))}
    found = np.zeros(num_layers)
    for ids in (item_ids, query_ids):
        step = max(1, len(ids) // _TEXTS_THAT_JUDGE)
        if len(ids):
            found += layer_importances(encoder, ids[::step])
    kept = most_important(found, config.kept_layers)
    layers = progress.counted(num_layers, "layer")
    progress.say(STEP, f"keeps {len(kept)} of {layers}: {kept}")
    importances = [round(float(value), 4) for value in found]
    return keep_layers(encoder, kept), {"kept": kept, "importances": importances}


def _one_below_the_other(*tables: IntArray) -> IntArray:
    """All rows, padded with 0 to the width of the widest."""
    width = max(ids.shape[1] for ids in tables)
    return np.concatenate(
        [np.pad(ids, [(0, 0), (0, width - ids.shape[1])]) for ids in tables]
    )


def _mode(pairs: TrainingPairs, config: TextEncoderConfig) -> str:
    """What fine-tuning changes: of a preset nothing, where there is nothing to fit."""
    mode = config.train_mode
    if mode == SCRATCH or pairs.query_items.num_pairs or pairs.item_items.num_pairs:
        return mode
    return FROZEN


def _start(
    texts: Sequence[str], pairs: TrainingPairs, config: TextEncoderConfig
) -> tuple[TextEncoder, WordPieceTokenizer]:
    if config.preset:
        return load_preset(config)
    counts = count_words([*texts, *pairs.queries])
    tokenizer = WordPieceTokenizer(learn_vocabulary(counts, config.vocabulary_size))
    words = progress.counted(len(counts), "word")
    progress.say(STEP, f"{words}, {tokenizer.vocabulary_size:,} word pieces")
    return new_encoder(tokenizer.vocabulary_size, config), tokenizer
