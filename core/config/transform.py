"""Settings of the Transform step."""

from __future__ import annotations

import dataclasses

from core import features
from core.config.base import Config
from core.config.shop import ShopConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransformConfig(Config):
    """What `trainer.transform_module.preprocessing_fn` makes of the event columns."""

    # The shop's event types and context columns, as in ShopConfig.
    event_types: tuple[str, ...] = (features.PURCHASE,)
    context_features: tuple[str, ...] = ()
    # Nine words hold 95 % of Online Retail's titles; Chinese titles take one per sign.
    max_title_tokens: int = 16
    # Levels of the category path that become features: level i is the path's first i.
    category_levels: int = 3
    # Vocabulary sizes; the rest is out of vocabulary (id 0).
    max_users: int = 1_000_000
    max_items: int = 1_000_000
    max_title_vocabulary: int = 30_000
    max_brands: int = 10_000
    # A token seen in fewer events teaches its embedding nothing.
    min_token_count: int = 3
    num_price_buckets: int = 16

    def __post_init__(self) -> None:
        self.require(bool(self.event_types), "event_types", "at least one event type")
        self.require(1 <= self.max_title_tokens <= 256, "max_title_tokens", "1 .. 256")
        self.require(1 <= self.category_levels <= 8, "category_levels", "1 .. 8")
        for name in ("max_users", "max_items", "max_title_vocabulary", "max_brands"):
            self.require(getattr(self, name) >= 1, name, ">= 1")
        self.require(self.min_token_count >= 1, "min_token_count", ">= 1")
        self.require(
            2 <= self.num_price_buckets <= 1024, "num_price_buckets", "2 .. 1024"
        )

    @classmethod
    def for_shop(cls, shop: ShopConfig) -> TransformConfig:
        """Defaults with this shop's event types and context columns."""
        return cls(event_types=shop.event_types, context_features=shop.context_features)
