"""The words that stand in a catalogue's titles, categories and brands."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Iterator

import pyarrow as pa

from core import features
from core.text.units import words_and_terms
from trainer.data.columns import texts

# Texts of an item that words come from; descriptions have too many mistakes.
SHORT_TEXTS = (features.TITLE, features.CATEGORY, features.BRAND)


class CatalogueWords:
    """Words as written (folded), their index terms, and which stand side by side.

    Args:
      items: canonical items.
    """

    def __init__(self, items: pa.Table) -> None:
        self.items_with: Counter[str] = Counter()  # word: number of items
        self.terms: dict[str, str] = {}  # word: term, '' for ideographs and stop words
        self.pairs: Counter[tuple[str, str]] = Counter()
        read = functools.cache(words_and_terms)  # brands come again and again
        for own in item_texts(items, SHORT_TEXTS):
            found = [read(text) for text in own]
            for word, term in dict.fromkeys(itertools.chain(*found)):
                self.items_with[word] += 1
                self.terms[word] = term
            for each in found:
                self.pairs.update(itertools.pairwise(word for word, _ in each))


def item_texts(items: pa.Table, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The columns' texts item by item; '' where an item or the shop has none."""
    return zip(*(texts(items, name).tolist() for name in names), strict=True)
