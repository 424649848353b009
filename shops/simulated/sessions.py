"""The simulated log: 120 days of pages, looked at, clicked, carted, bought."""

from __future__ import annotations

import dataclasses

import numpy as np

from shops.simulated import behaviour
from shops.simulated.catalogue import BoolArray, Catalogue, FloatArray, IntArray
from shops.simulated.config import SimulatorConfig
from shops.simulated.people import People
from shops.simulated.vocabulary import NUM_STYLES

# Why a session happens, which is also what its page shows.
TASTE, SEARCH_LEAF, SEARCH_STYLE, SEARCH_BRAND, DISCOVER, COMPLEMENT, REPLENISH = range(
    7
)
# Of searches: half name the category alone, the rest a style or a brand.
SEARCH_SPLIT = {SEARCH_LEAF: 0.5, SEARCH_STYLE: 0.3, SEARCH_BRAND: 0.2}
FIRST_HOUR, LAST_HOUR = 6, 23


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pages:
    """S sessions of one page of L slots each."""

    user: IntArray  # [S]
    day: IntArray  # [S]
    second: IntArray  # [S] of the day
    kind: IntArray  # [S]
    group: IntArray  # [S] what the person is after
    items: IntArray  # [S, L] rows of the catalogue
    shown: BoolArray  # [S, L] False where a slot repeats an earlier one
    clicked: BoolArray  # [S, L]
    carted: BoolArray  # [S, L]
    bought: BoolArray  # [S, L]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Purchases:
    """P purchases in the order in which they happened."""

    user: IntArray
    item: IntArray
    day: IntArray

    @classmethod
    def of(cls, pages: Pages) -> Purchases:
        row, slot = np.nonzero(pages.bought)
        return cls(
            user=pages.user[row], item=pages.items[row, slot], day=pages.day[row]
        )


class State:
    """What the past makes people do: items owned, things running out, complements."""

    def __init__(
        self, config: SimulatorConfig, catalogue: Catalogue, people: People
    ) -> None:
        self._config, self._catalogue, self._people = config, catalogue, people
        self.complement = np.full(people.num_users, -1, np.int64)
        self.complement_day = np.full(people.num_users, -(10**6), np.int64)
        self._owned: IntArray = np.zeros(0, np.int64)  # sorted keys user * n + item
        self._pending: IntArray = np.zeros(0, np.int64)  # keys of consumables
        self._due: IntArray = np.zeros(0, np.int64)  # day on which one runs out

    def keys(self, user: IntArray, item: IntArray) -> IntArray:
        return user * self._catalogue.num_items + item

    def owns(self, user: IntArray, item: IntArray) -> BoolArray:
        """Whether the person has bought the item, which lasts."""
        if not len(self._owned):
            return np.zeros(np.broadcast(user, item).shape, bool)
        keys = self.keys(user, item)
        place = np.minimum(np.searchsorted(self._owned, keys), len(self._owned) - 1)
        return np.asarray(self._owned[place] == keys)

    def take_due(self, day: int) -> tuple[IntArray, IntArray]:
        """Users and items that run out on `day`; they are forgotten."""
        due = self._due == day
        keys = self._pending[due]
        self._pending, self._due = self._pending[~due], self._due[~due]
        return keys // self._catalogue.num_items, keys % self._catalogue.num_items

    def after(self, bought: Purchases, day: int, rng: np.random.Generator) -> None:
        """Takes in the purchases of `day`, last one last."""
        catalogue = self._catalogue
        group = catalogue.group[bought.item]
        self.complement[bought.user] = catalogue.complement_group[group]
        self.complement_day[bought.user] = day
        keys = self.keys(bought.user, bought.item)
        lasts = catalogue.period_days[bought.item] == 0
        self._owned = np.union1d(self._owned, keys[lasts])
        self._schedule(np.unique(keys[~lasts]), day, rng)

    def _schedule(self, keys: IntArray, day: int, rng: np.random.Generator) -> None:
        """A consumable just bought runs out after its period; older dates lapse."""
        lapsed = np.isin(self._pending, keys)
        user, item = np.divmod(keys, self._catalogue.num_items)
        again = rng.random(len(keys)) < self._people.loyalty[user]
        spread = np.exp(rng.normal(0.0, self._config.replenish_spread, len(keys)))
        wait = np.round(self._catalogue.period_days[item] * spread).astype(np.int64)
        due = day + np.maximum(wait, 1)
        self._pending = np.concatenate([self._pending[~lapsed], keys[again]])
        self._due = np.concatenate([self._due[~lapsed], due[again]])


def simulate_pages(
    config: SimulatorConfig,
    catalogue: Catalogue,
    people: People,
    rng: np.random.Generator,
) -> Pages:
    """Lives through the calendar day by day, all people at once."""
    state = State(config, catalogue, people)
    season = behaviour.season(config)
    days = []
    for day in range(config.num_days):
        pages = _one_day(config, catalogue, people, state, day, season[day], rng)
        state.after(Purchases.of(pages), day, rng)
        days.append(pages)
    return Pages(
        **{
            field.name: np.concatenate([getattr(pages, field.name) for pages in days])
            for field in dataclasses.fields(Pages)
        }
    )


def _one_day(
    config: SimulatorConfig,
    catalogue: Catalogue,
    people: People,
    state: State,
    day: int,
    season: float,
    rng: np.random.Generator,
) -> Pages:
    user = np.repeat(
        np.arange(people.num_users), rng.poisson(people.sessions_per_day * season)
    )
    kind, group = _intents(config, people, state, user, day, rng)
    due_user, due_item = state.take_due(day)
    stocked = catalogue.available[day, due_item]
    due_user, due_item = due_user[stocked], due_item[stocked]
    user = np.concatenate([user, due_user])
    kind = np.concatenate([kind, np.full(len(due_user), REPLENISH)])
    group = np.concatenate([group, catalogue.group[due_item]])
    first = np.concatenate([np.full(len(user) - len(due_user), -1), due_item])
    second = np.sort(rng.integers(FIRST_HOUR * 3600, LAST_HOUR * 3600, len(user)))

    items, filled = _fill(catalogue, day, kind, group, config.slots, rng)
    items[first >= 0, 0] = first[first >= 0]
    filled |= first >= 0
    order = rng.permutation(np.flatnonzero(filled))
    user, kind, group, items = user[order], kind[order], group[order], items[order]
    shown = _first_times(items)
    clicked, carted, bought = _choose(
        config, catalogue, people, state, user, kind, items, shown, rng
    )
    return Pages(
        user=user,
        day=np.full(len(user), day),
        second=second[: len(user)],
        kind=kind,
        group=group,
        items=items,
        shown=shown,
        clicked=clicked,
        carted=carted,
        bought=bought,
    )


def _intents(
    config: SimulatorConfig,
    people: People,
    state: State,
    user: IntArray,
    day: int,
    rng: np.random.Generator,
) -> tuple[IntArray, IntArray]:
    """Kind and group of each session that starts by itself."""
    size = len(user)
    cumulative = np.cumsum(people.taste_weights[user], axis=1)
    taste = np.sum(rng.random((size, 1)) > cumulative[:, :-1], axis=1)
    group = people.tastes[user, taste]
    search = config.search_share
    shares = {TASTE: 1.0 - search - config.discover_share}
    shares |= {kind: search * share for kind, share in SEARCH_SPLIT.items()}
    shares[DISCOVER] = config.discover_share
    kind = rng.choice(list(shares), size, p=list(shares.values())).astype(np.int64)
    live = day - state.complement_day[user] <= config.complement_days
    live &= rng.random(size) < config.complement_share
    return (
        np.where(live, COMPLEMENT, kind),
        np.where(live, state.complement[user], group),
    )


def _fill(
    catalogue: Catalogue,
    day: int,
    kind: IntArray,
    group: IntArray,
    slots: int,
    rng: np.random.Generator,
) -> tuple[IntArray, BoolArray]:
    """[S, L] items drawn by popularity from what each page is about; [S] if any."""
    low, high = catalogue.group_start[group], catalogue.group_start[group + 1]
    leaf_low, leaf_high = catalogue.leaf_bounds(group // NUM_STYLES)
    low = np.where(kind == SEARCH_LEAF, leaf_low, low)
    high = np.where(kind == SEARCH_LEAF, leaf_high, high)
    low = np.where(kind == DISCOVER, 0, low)
    high = np.where(kind == DISCOVER, catalogue.num_items, high)
    mass = np.concatenate([[0.0], np.cumsum(catalogue.popularity[day])])
    draw = rng.random((len(group), slots))
    target = mass[low][:, None] + draw * (mass[high] - mass[low])[:, None]
    items = np.searchsorted(mass, target, side="right") - 1
    items = np.clip(items, low[:, None], high[:, None] - 1)
    return items, mass[high] > mass[low] + 1e-12


def _first_times(items: IntArray) -> BoolArray:
    """[S, L] True where no earlier slot of the page has the same item."""
    shown = np.ones(items.shape, bool)
    for slot in range(1, items.shape[1]):
        shown[:, slot] = (items[:, :slot] != items[:, slot : slot + 1]).all(axis=1)
    return shown


def _choose(
    config: SimulatorConfig,
    catalogue: Catalogue,
    people: People,
    state: State,
    user: IntArray,
    kind: IntArray,
    items: IntArray,
    shown: BoolArray,
    rng: np.random.Generator,
) -> tuple[BoolArray, BoolArray, BoolArray]:
    """[S, L] clicked, carted, bought."""
    users = np.broadcast_to(user[:, None], items.shape)
    worth = behaviour.utility(catalogue, people, users, items)
    click = behaviour.click_probability(worth) * behaviour.position_bias(config)
    click = np.where(state.owns(users, items), config.owned_factor, 1.0) * click
    other = catalogue.brand[items] != catalogue.brand[items[:, :1]]
    other &= (kind == SEARCH_BRAND)[:, None]
    click = np.where(other, config.other_brand_factor, 1.0) * click
    chances: tuple[FloatArray, ...] = (
        click,
        behaviour.cart_probability(worth),
        behaviour.purchase_probability(worth),
    )
    again = kind == REPLENISH
    success = rng.random(len(user)) < config.replenish_success
    reached, steps = shown, []
    for chance in chances:
        reached = reached & (rng.random(items.shape) < chance)
        reached[again, 0] = success[again]
        steps.append(reached)
    return steps[0], steps[1], steps[2]
