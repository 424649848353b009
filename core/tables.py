"""The data contract: canonical tables, their columns, types and rules."""

from __future__ import annotations

import dataclasses
from typing import Literal

from core import features

Kind = Literal["string", "int64", "float32"]

# Why adapters set aside rows of guests, with which nothing is wrong.
NO_USER_ID, NO_CUSTOMER_ID = "no user_id", "no customer id"
OF_GUESTS = (NO_USER_ID, NO_CUSTOMER_ID)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a canonical table."""

    name: str
    kind: Kind
    required: bool = False
    rule: str = ""  # the sentence an error message quotes


ITEMS: tuple[Column, ...] = (
    Column(
        name=features.ITEM_ID, kind="string", required=True, rule="unique, non-empty"
    ),
    Column(name=features.TITLE, kind="string", required=True, rule="non-empty"),
    Column(name=features.DESCRIPTION, kind="string"),
    Column(name=features.BRAND, kind="string"),
    Column(
        name=features.CATEGORY, kind="string", rule="a path, ' > ' between its levels"
    ),
    Column(name=features.PRICE, kind="float32", rule="> 0, in shop currency"),
    Column(name=features.IN_STOCK, kind="int64", rule="0 or 1"),
)

EVENTS: tuple[Column, ...] = (
    Column(name=features.USER_ID, kind="string", required=True, rule="non-empty"),
    Column(
        name=features.ITEM_ID, kind="string", required=True, rule="an id of `items`"
    ),
    Column(
        name=features.EVENT,
        kind="string",
        required=True,
        rule="one of view, click, cart, purchase",
    ),
    Column(
        name=features.TIMESTAMP,
        kind="int64",
        required=True,
        rule="seconds since 1970, UTC; not in the future",
    ),
    Column(name=features.QUANTITY, kind="float32", rule="> 0"),
    Column(name=features.PRICE, kind="float32", rule="> 0, in shop currency"),
    Column(name=features.QUERY, kind="string"),
    Column(name=features.SESSION_ID, kind="string"),
    Column(name=features.POSITION, kind="int64", rule=">= 0"),
)

JUDGMENTS: tuple[Column, ...] = (
    Column(name=features.QUERY, kind="string", required=True, rule="non-empty"),
    Column(
        name=features.ITEM_ID, kind="string", required=True, rule="an id of `items`"
    ),
    Column(name=features.GRADE, kind="int64", required=True, rule=">= 0"),
)

TABLES: dict[str, tuple[Column, ...]] = {
    "items": ITEMS,
    "events": EVENTS,
    "judgments": JUDGMENTS,
}
