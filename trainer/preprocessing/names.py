"""Names of transformed features and vocabularies."""

from __future__ import annotations

USER_ID = "user_id_xf"
ITEM_ID = "item_id_xf"
CATEGORY = "category_xf"
BRAND = "brand_xf"
EVENT = "event_xf"
LOG_PRICE = "log_price_xf"
PRICE_BUCKET = "price_bucket_xf"
TITLE_TOKENS = "title_tokens_xf"
HOUR = "hour_xf"
WEEKDAY = "weekday_xf"
# The text encoder's vector of an item; Transform does not make it.
TEXT_VECTOR = "text_vector"

USER_VOCABULARY = "user_id"
ITEM_VOCABULARY = "item_id"
CATEGORY_VOCABULARY = "category"
BRAND_VOCABULARY = "brand"
TITLE_VOCABULARY = "title_tokens"


def context(name: str) -> str:
    """Name of a context column's transformed feature."""
    return f"context_{name}_xf"


def context_vocabulary(name: str) -> str:
    """Name of a context column's vocabulary."""
    return f"context_{name}"
