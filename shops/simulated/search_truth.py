"""What a person truly thinks of an item that a query's page shows first."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from shops.simulated import behaviour
from shops.simulated.catalogue import BoolArray, Catalogue, FloatArray, IntArray
from shops.simulated.config import SimulatorConfig
from shops.simulated.people import People
from shops.simulated.queries import Intent
from shops.simulated.sessions import Purchases
from shops.simulated.vocabulary import NUM_STYLES


@dataclasses.dataclass(frozen=True)
class SearchGain:
    """Probabilities of an item in slot 0, which is always looked at.

    Attributes:
      click: [M, n] that the person clicks it.
      purchase: [M, n] that the person clicks, carts and buys it.
    """

    click: FloatArray
    purchase: FloatArray


def search_gain(
    config: SimulatorConfig,
    catalogue: Catalogue,
    people: People,
    purchases: Purchases,
    *,
    users: IntArray,
    intents: Sequence[Intent | None],
    items: IntArray,
    days: IntArray | None,
) -> SearchGain:
    """The formulas of behaviour.py for M searches and n items.

        click    = names · other · owned · σ(0.8 + v)
        purchase = click · σ(v / 2) · σ(1.2 + v / 2)

    `names` is 0 outside the query's category and, where it names a style, outside that
    style; `other` is 0.4 for another brand than the query's; `owned` is 0.1 for a
    lasting item that the person has. A size in the query changes nothing: the people
    of this shop choose without it.

    Args:
      config: the shop's factors.
      catalogue: all items.
      people: all people.
      purchases: what was bought when.
      users: [M] rows of people.
      intents: [M] what each query asks for, None for a query that nobody types.
      items: [n] rows of the catalogue.
      days: [M] the day of each search, on which items not for sale are worth 0; None
        for people who own nothing in a shop that has everything.
    """
    worth = behaviour.utility(catalogue, people, users[:, None], items[None])
    click = named(catalogue, intents, items, config.other_brand_factor)
    if days is not None:
        owned = owned_at(catalogue, purchases, users, days)[:, items]
        click = click * np.where(owned, config.owned_factor, 1.0)
        click = click * catalogue.available[days][:, items]
    click = click * behaviour.click_probability(worth)
    later = behaviour.cart_probability(worth) * behaviour.purchase_probability(worth)
    return SearchGain(click=click, purchase=click * later)


def named(
    catalogue: Catalogue,
    intents: Sequence[Intent | None],
    items: IntArray,
    other_brand_factor: float,
) -> FloatArray:
    """[M, n] 1 for what the query names, the factor for another brand, 0 outside."""
    nothing = Intent(leaf=-1)
    known = [nothing if intent is None else intent for intent in intents]
    leaf = np.array([intent.leaf for intent in known], np.int64)[:, None]
    style = np.array([intent.style for intent in known], np.int64)[:, None]
    brand = np.array([intent.brand for intent in known], np.int64)[:, None]
    inside = catalogue.leaf[items] == leaf
    inside &= (style < 0) | (catalogue.group[items] % NUM_STYLES == style)
    other = (brand >= 0) & (catalogue.brand[items] != brand)
    return np.where(other, other_brand_factor, 1.0) * inside


def owned_at(
    catalogue: Catalogue, purchases: Purchases, users: IntArray, days: IntArray
) -> BoolArray:
    """[M, all items] whether user m bought the item, which lasts, before day m."""
    lasts = catalogue.period_days[purchases.item] == 0
    order = np.argsort(purchases.user[lasts], kind="stable")
    buyer = purchases.user[lasts][order]
    item, day = purchases.item[lasts][order], purchases.day[lasts][order]
    first, last = np.searchsorted(buyer, np.stack([users, users + 1]))
    row = np.repeat(np.arange(len(users)), last - first)
    start = np.repeat(
        first - np.concatenate([[0], np.cumsum(last - first)[:-1]]), last - first
    )
    place = np.arange(len(row)) + start
    past = day[place] < days[row]
    owned = np.zeros((len(users), catalogue.num_items), bool)
    owned[row[past], item[place[past]]] = True
    return owned
