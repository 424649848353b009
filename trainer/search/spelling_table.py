"""What may stand in for a word that no item has: all that is one edit away from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.text.edits import MIN_LETTERS, TENFOLD, is_alphabetic
from trainer.search.catalogue_words import CatalogueWords
from trainer.search.fingerprints import END, fingerprints_of

# Stands for any one letter of a word; no word has it.
ANY = "?"


@dataclasses.dataclass(frozen=True)
class SpellingTable:
    """K keys: each word of the catalogue, and each with any letter in one place.

    A key that several words share belongs to the most frequent of them.
    """

    keys: npt.NDArray[np.int64]  # [K + 1] fingerprints, ascending; the last is no key
    terms: npt.NDArray[np.int64]  # [K + 1] the word's index term, V for the last
    costs: npt.NDArray[np.float32]  # [K + 1] less for frequent words, inf for the last
    first_letters: npt.NDArray[np.int64]  # [K + 1] the words' fingerprints
    shown: tuple[str, ...]  # [V] each term's most frequent word, as it is written
    items_with: npt.NDArray[np.int64]  # [V] number of items with that word


def build_spelling_table(
    words: CatalogueWords, terms: npt.NDArray[np.object_]
) -> SpellingTable:
    """The table of a catalogue.

    Args:
      words: of the same catalogue.
      terms: [V] bytes, those of its index.
    """
    names = [term.decode() for term in terms]
    place = {name: number for number, name in enumerate(names)}
    written = dict(enumerate(names))
    number_of: dict[str, tuple[int, int]] = {}  # word: term, number of items
    by_name = sorted(words.items_with.items(), reverse=True)
    for word, items in sorted(by_name, key=lambda entry: entry[1]):
        number = place.get(words.terms[word])
        if number is not None:
            written[number] = word  # the most frequent comes last
            # A query's words are compared by their terms: plurals are gone there.
            number_of[names[number]] = number_of[word] = number, items
    entries = [
        (key, number, TENFOLD * np.log10(1 + items), word[0])
        for word, (number, items) in number_of.items()
        if len(word) >= MIN_LETTERS and is_alphabetic(word)
        for key in (word, *_with_any_letter(word))
    ]
    keys, numbers, costs, letters = zip(*entries, strict=True) if entries else [()] * 4
    found = fingerprints_of(keys)
    order = np.lexsort((numbers, costs, found))
    order = order[np.append(True, np.diff(found[order]) > 0)[: len(order)]]

    def kept(values: Sequence[object], kind: type, last: float) -> npt.NDArray:  # type: ignore[type-arg]
        return np.append(np.asarray(values, kind)[order], np.asarray(last, kind))

    return SpellingTable(
        keys=np.append(found[order], END),
        terms=kept(numbers, np.int64, len(names)),
        costs=kept(costs, np.float32, np.inf),
        first_letters=np.append(fingerprints_of(letters)[order], END),
        shown=tuple(written[number] for number in range(len(names))),
        items_with=np.array([words.items_with[w] for w in written.values()], np.int64),
    )


def _with_any_letter(word: str) -> list[str]:
    return [word[:i] + ANY + word[i + 1 :] for i in range(len(word))]
