"""Settings of the ranker: architecture, losses, training, choice, calibration."""

from __future__ import annotations

import dataclasses

from core import features
from core.config.base import Config

ARCHITECTURES = ("mlp", "dcn")
SHARINGS = ("shared_bottom", "mmoe")
SCORE_HEADS = ("own", "weighted")
LISTWISE_LOSSES = ("softmax", "weighted", "lambda", "none")
CALIBRATIONS = ("isotonic", "platt", "none")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RankerConfig(Config):
    """One ranker; numbers without another source come from docs/ranker.md's trials."""

    # What ranking metrics and the listwise loss count as relevant.
    target_event: str = features.PURCHASE
    # Weight of each event type's probability, in the order of ShopConfig.event_types;
    # read by the "weighted" score head only. Empty: all on the target event.
    event_weights: tuple[float, ...] = ()

    # Architectures tried on the validation split; the best is fitted for good.
    architectures: tuple[str, ...] = ("mlp",)
    hidden_units: tuple[int, ...] = (128, 64)
    dropout: float = 0.1
    # Features that the network does not see, as shell patterns (`item_buyers_*`).
    ignored_features: tuple[str, ...] = ()
    num_crosses: int = 2
    # Rank of a cross's matrix (DCN-v2's U V^T); 0 is the full matrix.
    cross_rank: int = 32
    sharing: str = "shared_bottom"
    num_experts: int = 4
    # "own": a head of its own trained listwise. "weighted": the logarithm of the
    # event probabilities' weighted sum.
    score_head: str = "own"

    listwise_loss: str = "softmax"
    listwise_weight: float = 1.0
    # Weight of the same loss over the items that the person never bought.
    new_weight: float = 0.0
    # Weight of the softmax loss of every other event type, by its own logit: there are
    # many more views and clicks than purchases, and they tell the trunk what is liked.
    # Not read with the "weighted" score head.
    other_events_weight: float = 1.0
    # Weight of the mean binary cross-entropy of the event types.
    pointwise_weight: float = 0.1
    # Positives beyond this many raise a moment's weight no further.
    positives_cap: int = 20

    epochs: int = 5
    moments_per_batch: int = 16
    rows_per_moment: int = 160
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    # Share of the steps that the learning rate rises over, before the cosine.
    warmup: float = 0.05
    # Per-step decay of the weights' moving average, which then is the model; 0: none.
    ema_decay: float = 0.0
    # Epochs without a better validation metric before a trial fit stops.
    patience: int = 2
    # An epoch this much below the best still wins over an earlier one: smaller
    # differences are noise, and later weights have seen a lower learning rate.
    epoch_tolerance: float = 0.002
    # Newest cut-offs that one fit uses.
    fit_cutoffs: int = 4

    # NDCG@top_k on validation moments chooses epoch and architecture; `choice_new`
    # is the share of the not-owned view in it.
    top_k: int = 20
    choice_new: float = 0.5
    max_validation_moments: int = 1500
    # Seconds after which no further architecture is tried; the first always is.
    time_budget_s: float = 600.0
    calibration: str = "isotonic"
    # Feature matrices beyond this live in a memory-mapped file.
    memory_limit_mb: int = 4096
    seed: int = 17

    def __post_init__(self) -> None:
        self._check_architecture()
        self._check_training()

    def _check_architecture(self) -> None:
        self.require(
            self.target_event in features.EVENTS,
            "target_event",
            f"one of {', '.join(features.EVENTS)}",
        )
        self.require(
            not self.event_weights
            or (min(self.event_weights) >= 0 and sum(self.event_weights) > 0),
            "event_weights",
            "empty or numbers >= 0, not all zero",
        )
        self.require(
            bool(self.architectures) and set(self.architectures) <= set(ARCHITECTURES),
            "architectures",
            f"one or more of {', '.join(ARCHITECTURES)}",
        )
        self.require(
            bool(self.hidden_units) and min(self.hidden_units) >= 1,
            "hidden_units",
            "one or more widths >= 1",
        )
        self.require(0 <= self.dropout < 1, "dropout", "in [0, 1)")
        self.require(self.num_crosses >= 1, "num_crosses", ">= 1")
        self.require(self.cross_rank >= 0, "cross_rank", ">= 0 (0: full)")
        self.require(self.num_experts >= 1, "num_experts", ">= 1")
        for name, known in (
            ("sharing", SHARINGS),
            ("score_head", SCORE_HEADS),
            ("listwise_loss", LISTWISE_LOSSES),
            ("calibration", CALIBRATIONS),
        ):
            self.require(
                getattr(self, name) in known, name, f"one of {', '.join(known)}"
            )

    def _check_training(self) -> None:
        for name in (
            "listwise_weight",
            "new_weight",
            "other_events_weight",
            "pointwise_weight",
        ):
            self.require(getattr(self, name) >= 0, name, ">= 0")
        ranks = self.listwise_loss != "none" and (
            self.listwise_weight > 0 or self.new_weight > 0
        )
        self.require(
            ranks or self.pointwise_weight > 0,
            "pointwise_weight",
            "> 0 where no listwise loss has a weight",
            "A model without any loss learns nothing.",
        )
        self.require(
            ranks or self.score_head != "own",
            "score_head",
            '"weighted" where no listwise loss has a weight',
            "Nothing else trains a score of its own. Set `score_head: weighted`, or a "
            "`listwise_loss` with a `listwise_weight` or `new_weight` above 0.",
        )
        for name in (
            "positives_cap",
            "epochs",
            "moments_per_batch",
            "patience",
            "fit_cutoffs",
            "top_k",
            "max_validation_moments",
            "memory_limit_mb",
        ):
            self.require(getattr(self, name) >= 1, name, ">= 1")
        self.require(self.rows_per_moment >= 2, "rows_per_moment", ">= 2")
        self.require(self.learning_rate > 0, "learning_rate", "> 0")
        self.require(self.weight_decay >= 0, "weight_decay", ">= 0")
        self.require(0 <= self.warmup < 1, "warmup", "in [0, 1)")
        self.require(0 <= self.ema_decay < 1, "ema_decay", "in [0, 1)")
        self.require(0 <= self.choice_new <= 1, "choice_new", "in [0, 1]")
        self.require(self.epoch_tolerance >= 0, "epoch_tolerance", ">= 0")
        self.require(self.time_budget_s >= 0, "time_budget_s", ">= 0")
        self.require(self.seed >= 0, "seed", ">= 0")
