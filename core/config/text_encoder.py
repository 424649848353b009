"""Settings of the text encoder: words of items and queries to vectors."""

from __future__ import annotations

import dataclasses

from core.config.base import Config
from core.config.limits import MAX_EVENTS

SCRATCH, FROZEN, FULL, LORA = "scratch", "frozen", "full", "lora"
MODES = (SCRATCH, FROZEN, FULL, LORA)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextEncoderConfig(Config):
    """Vocabulary, size, masked-language pretraining and contrastive fine-tuning.

    The defaults walk the whole step on two cores in about a minute for 5,000 items and
    10,000 searches. With `preset`, vocabulary and sizes are the preset's own.
    """

    # Folder of a keras preset or of a Hugging Face BERT; "" trains from scratch.
    preset: str = ""
    # What fine-tuning changes: `scratch` all of a new encoder, `frozen` nothing, `full`
    # all of the preset, `lora` its adapters. "": `lora` with a preset, else `scratch`.
    mode: str = ""
    lora_rank: int = 8
    # Of a preset's layers only so many are kept, those that turn the vectors of the
    # shop's texts most, before fine-tuning; 0 keeps all.
    kept_layers: int = 0

    vocabulary_size: int = 8_000  # at most; the shop's text may have fewer pieces
    num_layers: int = 2
    hidden_dim: int = 128
    num_heads: int = 2
    mlp_dim: int = 256
    dropout: float = 0.0  # few epochs: dropout costs time and loses quality
    output_dim: int = 0  # of the vectors; 0: the encoder's width, without projection

    max_query_tokens: int = 16
    max_item_tokens: int = 24

    # A larger log is sampled by user: everything of some, nothing of the others.
    max_events: int = MAX_EVENTS

    # Masked-language pretraining (Devlin et al., 2018), from scratch only.
    pretrain_epochs: int = 1
    pretrain_batch: int = 64
    # 1e-3 names hidden tokens better and finds worse: recall@10 of the simulated demo
    # shop .290 against .311, of the tiny one .617 against .685 (.314, .583 without).
    pretrain_learning_rate: float = 3e-4
    mask_rate: float = 0.15

    # In-batch softmax over pairs.
    contrastive_epochs: int = 2
    contrastive_batch: int = 128
    learning_rate: float = 1e-3
    temperature: float = 0.05
    # Items per pair that BM25 mines, beside the in-batch ones. On the demo shop's
    # validation period 1 is within noise of 0, 3 does harm (docs/text-encoder.md).
    hard_negatives: int = 0
    # (query, item) pairs of an epoch, heaviest kept; the others are no negatives.
    max_pairs: int = 30_000
    # (item, co-bought item) pairs of an epoch, per (query, item) pair; alone they are
    # as many as `max_pairs` allows.
    cobought_share: float = 0.25
    cobought_days: float = 1.0  # between the two purchases of a pair, at most

    # Queries made of each item's title where nobody searched; from scratch only: a
    # pretrained encoder knows better than such pairs teach.
    title_pairs: int = 1

    warmup_share: float = 0.1  # of the steps, learning rate from 0; then cosine to 0
    weight_decay: float = 0.01
    encode_batch: int = 256
    # Training stops here, whatever the epochs: a ceiling, since a run that reaches it
    # depends on the machine's speed.
    time_budget_s: float = 300.0
    seed: int = 1

    def __post_init__(self) -> None:
        self.require(
            self.mode in ("", *MODES), "mode", f"one of {', '.join(MODES)} or ''"
        )
        self.require(
            (self.train_mode == SCRATCH) == (not self.preset),
            "mode",
            "`scratch` without `preset`, another with it",
            "Set `preset` to the folder of the pretrained encoder, or change `mode`.",
        )
        self.require(
            bool(self.preset) or not self.kept_layers,
            "kept_layers",
            "0 without `preset`",
            "Set `num_layers` of an encoder that is trained from scratch.",
        )
        self.require(
            self.hidden_dim >= 1 and self.hidden_dim % self.num_heads == 0,
            "hidden_dim",
            ">= 1 and divisible by num_heads",
        )
        self.require(self.vocabulary_size >= 64, "vocabulary_size", ">= 64")
        for name in ("max_query_tokens", "max_item_tokens"):
            self.require(4 <= getattr(self, name) <= 512, name, "4 .. 512")
        for name in ("contrastive_batch", "pretrain_batch"):
            self.require(getattr(self, name) >= 2, name, ">= 2")
        self.require(self.max_events >= 1, "max_events", ">= 1")
        for name in ("lora_rank", "num_layers", "num_heads", "mlp_dim", "encode_batch"):
            self.require(getattr(self, name) >= 1, name, ">= 1")
        for name in (
            "kept_layers",
            "output_dim",
            "pretrain_epochs",
            "contrastive_epochs",
            "hard_negatives",
            "max_pairs",
            "cobought_share",
            "title_pairs",
            "weight_decay",
        ):
            self.require(getattr(self, name) >= 0, name, ">= 0")
        for name in ("dropout", "warmup_share"):
            self.require(0 <= getattr(self, name) < 1, name, "in [0, 1)")
        self.require(0 < self.mask_rate < 1, "mask_rate", "in (0, 1)")
        for name in (
            "pretrain_learning_rate",
            "learning_rate",
            "temperature",
            "cobought_days",
            "time_budget_s",
        ):
            self.require(getattr(self, name) > 0, name, "> 0")

    @property
    def train_mode(self) -> str:
        """`mode`, with its default resolved."""
        return self.mode or (LORA if self.preset else SCRATCH)

    @classmethod
    def local(cls) -> TextEncoderConfig:
        """From scratch, about a minute on two cores for 5,000 items."""
        return cls()

    @classmethod
    def pretrained(cls, preset: str, mode: str = LORA) -> TextEncoderConfig:
        """A preset and rates that keep what it knows; longer texts, smaller batches."""
        return cls(
            preset=preset,
            mode=mode,
            max_query_tokens=32,
            max_item_tokens=64,
            contrastive_epochs=1,
            contrastive_batch=64,
            learning_rate=5e-4 if mode == LORA else 2e-5,
            encode_batch=64,
        )

    @classmethod
    def tiny(cls) -> TextEncoderConfig:
        """Tests: seconds; quality is beside the point."""
        return cls(
            vocabulary_size=400,
            num_layers=1,
            hidden_dim=32,
            mlp_dim=64,
            max_query_tokens=8,
            max_item_tokens=16,
            pretrain_epochs=1,
            contrastive_epochs=1,
            contrastive_batch=32,
            pretrain_batch=32,
            max_pairs=500,
        )
