"""Settings of the two-tower Retriever."""

from __future__ import annotations

import dataclasses

from core import features
from core.config.base import Config
from core.config.shop import ShopConfig

HISTORY_ENCODERS = ("mean", "gru", "cnn", "transformer")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RetrieverConfig(Config):
    """Two-tower model, its training and its evaluation."""

    # The shop's event types and context columns, as in ShopConfig.
    event_types: tuple[str, ...] = (features.PURCHASE,)
    context_features: tuple[str, ...] = ()
    # Weight of a target of each event type in the loss, same order.
    event_weights: tuple[float, ...] = (1.0,)

    embedding_dim: int = 64  # d
    hidden_dim: int = 128  # width of the query tower's hidden layer
    content_dim: int = 32  # width of title, category, price, brand embeddings
    history_encoder: str = "mean"
    # Of the transformer: blocks, and whether they have the same weights.
    history_layers: int = 1
    shared_history_layers: bool = False
    # Newest history slots the query tower reads.
    max_history: int = 50

    # Softmax over in-batch candidates (tfrs.tasks.Retrieval).
    batch_size: int = 512
    temperature: float = 0.1
    sampling_correction: bool = True  # logQ
    remove_accidental_hits: bool = True
    num_hard_negatives: int | None = None  # None keeps all in-batch negatives
    # Targets of one moment that one epoch uses; they share one pass of the query tower.
    max_targets_per_moment: int = 4
    # Share of item ids hidden per step, so that content alone can place an item; and
    # of user ids, so that history alone can place a user.
    item_id_dropout: float = 0.1
    user_id_dropout: float = 0.5

    # Adagrad. .03 at batch 512 reaches in two epochs of the simulated shop what .1 at
    # 1,024 has not in twelve (recall@100 .49 against .43).
    learning_rate: float = 0.03
    max_epochs: int = 5
    patience: int = 2  # epochs without a better recall before training stops
    # No new epoch after this, but in the refit: it trains the chosen number.
    max_seconds: float = 600.0
    steps_per_execution: int = 16
    eval_k: int = 100  # recall@k decides about early stopping
    max_eval_moments: int = 4000
    # Training moments and search pages held in memory, .7 kB each at 50 history slots;
    # of more, those of a share of the users.
    max_moments: int = 1_000_000
    refit: bool = True  # train the chosen number of epochs on train + eval moments
    seed: int = 1

    def __post_init__(self) -> None:
        self.require(
            self.history_encoder in HISTORY_ENCODERS,
            "history_encoder",
            f"one of {', '.join(HISTORY_ENCODERS)}",
        )
        self.require(
            len(self.event_weights) == len(self.event_types)
            and min(self.event_weights) >= 0
            and sum(self.event_weights) > 0,
            "event_weights",
            "one weight >= 0 per event type, not all zero",
        )
        self.require(
            4 <= self.embedding_dim <= 1024 and self.embedding_dim % 4 == 0,
            "embedding_dim",
            "4 .. 1024 and a multiple of 4",
        )
        self.require(1 <= self.max_history <= 1024, "max_history", "1 .. 1024")
        self.require(self.history_layers >= 1, "history_layers", ">= 1")
        self.require(
            self.history_encoder == "transformer" or self.history_layers == 1,
            "history_layers",
            "1 but for the transformer",
            "Set `history_encoder` to transformer.",
        )
        self.require(self.batch_size >= 2, "batch_size", ">= 2")
        for name in ("temperature", "learning_rate"):
            self.require(getattr(self, name) > 0, name, "> 0")
        self.require(
            self.num_hard_negatives is None or self.num_hard_negatives >= 1,
            "num_hard_negatives",
            "None or >= 1",
        )
        for name in ("item_id_dropout", "user_id_dropout"):
            self.require(0 <= getattr(self, name) < 1, name, "in [0, 1)")
        for name in (
            "hidden_dim",
            "content_dim",
            "max_targets_per_moment",
            "max_epochs",
            "patience",
            "steps_per_execution",
            "eval_k",
            "max_eval_moments",
            "max_moments",
        ):
            self.require(getattr(self, name) >= 1, name, ">= 1")

    @classmethod
    def for_shop(cls, shop: ShopConfig) -> RetrieverConfig:
        """Defaults with this shop's event types and context columns.

        Weights rise evenly from the weakest event type to the strongest: views lead to
        purchases, so they are worth learning from (on the simulated shop recall@100 of
        the horizon's purchases .52 with them, .41 with the ranking weights).
        """
        last = max(len(shop.event_types) - 1, 1)
        weights = [1.0 - 0.8 * (last - i) / last for i in range(len(shop.event_types))]
        return cls(
            event_types=shop.event_types,
            event_weights=tuple(weights) if len(weights) > 1 else (1.0,),
            context_features=shop.context_features,
        )
