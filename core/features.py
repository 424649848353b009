"""Column names of the canonical tables and of moments."""

from __future__ import annotations

ITEM_ID = "item_id"
TITLE = "title"
DESCRIPTION = "description"
BRAND = "brand"
CATEGORY = "category"
PRICE = "price"
IN_STOCK = "in_stock"

USER_ID = "user_id"
EVENT = "event"
TIMESTAMP = "timestamp"
QUANTITY = "quantity"
QUERY = "query"
SESSION_ID = "session_id"
POSITION = "position"

GRADE = "grade"

# A moment: a person at a time, the history strictly before it (oldest first), and, in
# training, what the person did in the horizon that starts at it.
HISTORY_ITEM_IDS = "history_item_ids"
HISTORY_EVENTS = "history_events"
HISTORY_TIMESTAMPS = "history_timestamps"
TARGET_ITEM_IDS = "target_item_ids"
TARGET_EVENTS = "target_events"
TARGET_TIMESTAMPS = "target_timestamps"

# A search page adds the item tables that it may be used with and what it showed.
CUTOFF = "cutoff"
SHOWN_ITEM_IDS = "shown_item_ids"
SHOWN_POSITIONS = "shown_positions"
SHOWN_CLICK = "shown_click"
SHOWN_CART = "shown_cart"
SHOWN_PURCHASE = "shown_purchase"

VIEW, CLICK, CART, PURCHASE = "view", "click", "cart", "purchase"
EVENTS = (VIEW, CLICK, CART, PURCHASE)  # weakest to strongest
# What may follow a view, and the list of a search page that tells it of each item.
SHOWN_EVENTS = {CLICK: SHOWN_CLICK, CART: SHOWN_CART, PURCHASE: SHOWN_PURCHASE}

CATEGORY_SEPARATOR = " > "
SECONDS_PER_DAY = 86_400
