"""Names of the signatures, their inputs and outputs (docs/serving.md has the table)."""

from __future__ import annotations

from typing import Literal

from core import features

SERVING_DEFAULT = "serving_default"
RECOMMEND = "recommend"
SEARCH = "search"
SIMILAR = "similar"
RANK = "rank"
EMBED_QUERY = "embed_query"
EMBED_ITEM = "embed_item"

# inputs beyond the person and moment of core.features
EXAMPLES = "examples"
EXCLUDE_ITEM_IDS = "exclude_item_ids"
CATEGORIES = "categories"
PRICE_MIN = "price_min"
PRICE_MAX = "price_max"
IN_STOCK_ONLY = "in_stock_only"
CANDIDATE_ITEM_IDS = "candidate_item_ids"
K = "k"
MAX_K = 100

# outputs
ITEM_IDS = "item_ids"
SCORES = "scores"
REASONS = "reasons"
SCORE = "score"
EMBEDDINGS = "embeddings"
PROBABILITY_PREFIX = "p_"  # p_view, p_click, p_cart, p_purchase

MODEL_NAME = "souk"

# How requests of different widths join one batch: axis 1 is padded with the neutral
# value of its type ('' or 0). Histories are padded in FRONT, so that the newest event
# stays last. An input that is not named here is never padded.
BATCH_PADDING: dict[str, Literal["front", "back"]] = {
    features.HISTORY_ITEM_IDS: "front",
    features.HISTORY_EVENTS: "front",
    features.HISTORY_TIMESTAMPS: "front",
    EXCLUDE_ITEM_IDS: "back",
    CATEGORIES: "back",
    CANDIDATE_ITEM_IDS: "back",
}


def probability(event: str) -> str:
    """Output name of an event type's probability, `p_purchase` for `purchase`."""
    return PROBABILITY_PREFIX + event
