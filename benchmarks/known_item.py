"""Known-item queries made from titles by a fixed recipe: synthetic, typed by nobody.

After Azzopardi, L., de Rijke, M. and Balog, K. (2007). Building Simulated Queries for
Known-Item Topics: An Analysis Using Six European Languages. SIGIR. A query is words of
one item's title, which it is looking for, changed as memory changes them:

- `dropped`: half of the title's words (rounded up, at least 2, at most 4), drawn
  without replacement, in their order;
- `shuffled`: the same, in random order;
- `misspelt`: the same as dropped, and one word of four or more letters with one edit: a
  letter left out, doubled or replaced, or two neighbours swapped;
- `synonym`: the same as dropped, and every word that SYNONYMS knows replaced; only of
  titles that have such a word, which is then always kept.

Every item whose title has the same set of words as the one drawn is right. Words are
letters or digits in lower case; titles with fewer than three different words are left
out. The draw depends on the titles and the seed alone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import NamedTuple

KINDS = ("dropped", "shuffled", "misspelt", "synonym")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Everyday words for the same thing, as an English speaker might know them; the table
# was written from the words of Online Retail's titles, before any system was run.
SYNONYMS = {
    "bag": "tote",
    "basket": "hamper",
    "bell": "chime",
    "biscuit": "cookie",
    "bowl": "dish",
    "bunting": "pennants",
    "candle": "taper",
    "card": "postcard",
    "children": "kids",
    "christmas": "xmas",
    "clock": "timepiece",
    "cup": "teacup",
    "cushion": "pillow",
    "drawer": "compartment",
    "garland": "wreath",
    "gift": "present",
    "heart": "love",
    "holder": "stand",
    "hook": "peg",
    "jug": "pitcher",
    "lantern": "lamp",
    "large": "big",
    "light": "lamp",
    "mirror": "looking glass",
    "mug": "beaker",
    "necklace": "pendant",
    "ornament": "trinket",
    "pantry": "larder",
    "picture": "photo",
    "pink": "rose",
    "plate": "dish",
    "purse": "wallet",
    "retro": "vintage",
    "ribbon": "band",
    "rucksack": "backpack",
    "sign": "plaque",
    "small": "little",
    "spaceboy": "astronaut",
    "stationery": "writing paper",
    "tin": "canister",
    "towel": "cloth",
    "tray": "salver",
    "vintage": "retro",
    "wooden": "timber",
    "wrap": "paper",
}
_WORDS = re.compile(r"[^\W_]+")


class KnownItem(NamedTuple):
    """One query: its kind, its text and the rows of the items that it looks for."""

    kind: str
    query: str
    rows: tuple[int, ...]


def known_items(
    titles: Sequence[str], *, per_kind: int = 500, seed: int = 2007
) -> list[KnownItem]:
    """`per_kind` queries of each kind, fewer where fewer titles serve.

    Args:
      titles: [n] of the catalogue; queries of one kind are about different titles.
      per_kind: queries of each kind.
      seed: of the draw.
    """
    words = [_WORDS.findall(title.lower()) for title in titles]
    same: dict[frozenset[str], list[int]] = {}
    for row, found in enumerate(words):
        same.setdefault(frozenset(found), []).append(row)
    topics = [rows for found, rows in same.items() if len(found) >= 3]
    queries = []
    for kind in KINDS:
        draw = random.Random(f"{seed}-{kind}")
        usable = [r for r in topics if kind != "synonym" or _knows(words[r[0]])]
        for rows in draw.sample(usable, min(per_kind, len(usable))):
            text = make_query(words[rows[0]], kind, draw)
            queries.append(KnownItem(kind, text, tuple(rows)))
    return queries


def make_query(words: Sequence[str], kind: str, draw: random.Random) -> str:
    """One query of a title's words, by the recipe of `kind`."""
    unique = list(dict.fromkeys(words))
    count = min(max((len(unique) + 1) // 2, 2), 4)
    places = draw.sample(range(len(unique)), count)
    if kind == "synonym":
        named = [p for p, word in enumerate(unique) if word in SYNONYMS]
        keep = draw.choice(named)
        places = [keep, *[p for p in places if p != keep][: count - 1]]
    if kind != "shuffled":
        places.sort()
    kept = [unique[place] for place in places]
    if kind == "synonym":
        kept = [SYNONYMS.get(word, word) for word in kept]
    if kind == "misspelt":
        long = [p for p, word in enumerate(kept) if len(word) >= 4] or [0]
        place = draw.choice(long)
        kept[place] = misspell(kept[place], draw)
    return " ".join(kept)


def misspell(word: str, draw: random.Random) -> str:
    """The word with one edit, never at its first letter, never itself."""
    for _ in range(20):
        place = draw.randrange(1, len(word)) if len(word) > 1 else 0
        before, letter, after = word[:place], word[place : place + 1], word[place + 1 :]
        typed = draw.choice(
            [
                before + after,
                before + letter + letter + after,
                before + draw.choice(LETTERS) + after,
                before + after[:1] + letter + after[1:],
            ]
        )
        if typed != word:
            return typed
    return word


def _knows(words: Sequence[str]) -> bool:
    return any(word in SYNONYMS for word in words)
