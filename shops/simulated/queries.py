"""What the simulated people type, and what it means."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import numpy.typing as npt

from shops.simulated import sessions, vocabulary
from shops.simulated.catalogue import BoolArray, Catalogue, IntArray
from shops.simulated.vocabulary import NUM_STYLES, Leaf

MAX_GRADE = 3
USUAL, SYNONYM, MISSPELT = "usual", "synonym", "misspelt"
GENERIC, SPECIFIC, CHINESE = "generic", "specific", "chinese"
HAN = re.compile("[\u4e00-\u9fff]")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Intent:
    """What a query asks for; -1 where it does not say."""

    leaf: int
    style: int = -1
    brand: int = -1
    size: int = -1

    @property
    def is_specific(self) -> bool:
        """Whether the query names more than a category."""
        return max(self.style, self.brand, self.size) >= 0


class QueryBook:
    """Every query text by what it asks for and in which language.

    Inside a pool the usual texts come first: synonyms, misspelt words and sizes follow.
    """

    def __init__(self, catalogue: Catalogue, rng: np.random.Generator) -> None:
        self.intents: dict[str, Intent] = {}
        self.wordings: dict[str, str] = {}  # USUAL, SYNONYM or MISSPELT
        self._pools: dict[tuple[int, int, int, bool], list[str]] = {}
        for number, leaf in enumerate(catalogue.leaves):
            self._add_leaf(number, leaf, rng)
            self._add_brands(number, leaf, np.unique(catalogue.brand))

    def sample(
        self,
        catalogue: Catalogue,
        pages: sessions.Pages,
        chinese: BoolArray,
        rng: np.random.Generator,
    ) -> npt.NDArray[np.object_]:
        """[S] the query of each search session, None elsewhere.

        A brand query names the brand of the page's first item. The square of a uniform
        number picks the text, so that the usual ones are typed most.
        """
        texts = np.full(len(pages.user), None, dtype=object)
        brand = catalogue.brand[pages.items[:, 0]]
        luck = rng.random(len(pages.user)) ** 2
        for row in np.flatnonzero(np.isin(pages.kind, list(sessions.SEARCH_SPLIT))):
            leaf, style = divmod(int(pages.group[row]), NUM_STYLES)
            kind = pages.kind[row]
            key = (
                leaf,
                style if kind == sessions.SEARCH_STYLE else -1,
                int(brand[row]) if kind == sessions.SEARCH_BRAND else -1,
                bool(chinese[row]),
            )
            pool = self._pools[key]
            texts[row] = pool[int(luck[row] * len(pool))]
        return texts

    def grades(self, catalogue: Catalogue, query: str) -> IntArray:
        """[n] 3 for all that the query names, 2 or 1 for less, 0 for another category.

        A query that nobody in this shop types is worth 0 everywhere.
        """
        intent = self.intents.get(query)
        if intent is None:
            return np.zeros(catalogue.num_items, np.int64)
        missed = np.zeros(catalogue.num_items, np.int64)
        style = catalogue.group % NUM_STYLES
        for wanted, has in (
            (intent.style, style),
            (intent.brand, catalogue.brand),
            (intent.size, catalogue.size),
        ):
            missed += (wanted >= 0) & (has != wanted)
        return np.where(catalogue.leaf == intent.leaf, MAX_GRADE - missed, 0)

    def classes(self, query: str) -> frozenset[str]:
        """`generic` or `specific`; `synonym`, `misspelt`, `chinese` where they hold.

        Empty for a query that nobody in this shop types.
        """
        intent = self.intents.get(query)
        if intent is None:
            return frozenset()
        found = {SPECIFIC if intent.is_specific else GENERIC}
        if self.wordings[query] != USUAL:
            found.add(self.wordings[query])
        if HAN.search(query):
            found.add(CHINESE)
        return frozenset(found)

    def _add(
        self,
        key: tuple[int, int, int, bool],
        text: str,
        size: int = -1,
        wording: str = USUAL,
    ) -> None:
        leaf, style, brand, _ = key
        intent = Intent(leaf=leaf, style=style, brand=brand, size=size)
        if " ".join(text.split()) in self.wordings:  # a doubled space misspells nothing
            wording = self.wordings[" ".join(text.split())]
        if self.intents.setdefault(text, intent) == intent:
            self._pools.setdefault(key, []).append(text)
            self.wordings.setdefault(text, wording)

    def _add_leaf(self, number: int, leaf: Leaf, rng: np.random.Generator) -> None:
        key = (number, -1, -1, False)
        for place, noun in enumerate(leaf.nouns):
            self._add(key, noun, wording=SYNONYM if place else USUAL)
        for noun in [misspell(leaf.nouns[0], rng) for _ in range(2)]:
            self._add(key, noun, wording=MISSPELT)
        for place, noun in enumerate(leaf.nouns_zh):
            wording = SYNONYM if place else USUAL
            self._add((number, -1, -1, True), noun, wording=wording)
        for style, (english, chinese) in enumerate(leaf.styles):
            word = english.lower()
            key = (number, style, -1, False)
            self._add(key, f"{word} {leaf.nouns[0]}")
            self._add(key, f"{leaf.nouns[0]} {word}")
            self._add(key, f"{word} {leaf.nouns[1]}", wording=SYNONYM)
            typed = misspell(word, rng)
            self._add(key, f"{typed} {leaf.nouns[0]}", wording=MISSPELT)
            key = (number, style, -1, True)
            self._add(key, f"{chinese}{leaf.nouns_zh[0]}")
            self._add(key, f"{chinese} {leaf.nouns_zh[1]}", wording=SYNONYM)
            for size, (unit, unit_zh) in enumerate(leaf.sizes):
                text = f"{word} {leaf.nouns[0]} {unit.lower()}"
                self._add((number, style, -1, False), text, size)
                text = f"{chinese} {leaf.nouns_zh[0]} {unit_zh}"
                self._add((number, style, -1, True), text, size)

    def _add_brands(self, number: int, leaf: Leaf, brands: IntArray) -> None:
        for brand in brands.tolist():
            name = vocabulary.BRANDS[brand].lower()
            key = (number, -1, brand, False)
            self._add(key, f"{name} {leaf.nouns[0]}")
            self._add(key, f"{name} {leaf.nouns[1]}", wording=SYNONYM)
            self._add((number, -1, brand, True), f"{name} {leaf.nouns_zh[0]}")


def misspell(word: str, rng: np.random.Generator) -> str:
    """`word` with two letters swapped, one left out or one doubled."""
    place = int(rng.integers(1, max(len(word) - 1, 2)))
    kind = int(rng.integers(3))
    if kind == 0 and place + 1 < len(word):
        swapped = word[place + 1] + word[place]
        return word[:place] + swapped + word[place + 2 :]
    if kind == 1:
        return word[:place] + word[place + 1 :]
    return word[:place] + word[place] + word[place:]
