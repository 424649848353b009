"""Tables that turn each code point of a text into what the tokenizer splits.

One gather folds a text and sets apart what stands alone: the tokenizer then splits at
spaces. The tables are made in Python and travel in the graph.
"""

from __future__ import annotations

import functools
import unicodedata

import numpy as np
import numpy.typing as npt

from core.text.folding import TABLE_SIZE, folding_table
from core.text.simplified import simplified_points

SHOP, BERT_UNCASED, BERT_CASED = "shop", "bert_uncased", "bert_cased"
NORMALIZATIONS = (SHOP, BERT_UNCASED, BERT_CASED)

Table = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]

_APOSTROPHES = frozenset("'’")
# Han with extensions and compatibility forms, as BERT splits them.
_HAN = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)
_REMOVED = frozenset(("Cc", "Cf", "Co", "Cs"))  # by BERT; unassigned points stay
_KANA = ((0x3040, 0x30FF), (0x31F0, 0x31FF))


@functools.lru_cache(maxsize=3)
def code_point_table(normalization: str) -> Table:
    """Row splits [TABLE_SIZE + 1] and values of the code points each one becomes.

    Args:
      normalization: `shop` folds as the Analyzer does and keeps letters, marks and
        digits; `bert_uncased` and `bert_cased` do what BERT's basic tokenizer does.
    """
    if normalization == SHOP:
        return _shop_table()
    return _bert_table(lower_case=normalization == BERT_UNCASED)


def stands_alone(text: str) -> bool:
    """Whether a text is one Chinese or Japanese character: a word of its own."""
    return len(text) == 1 and (_in(text, _HAN) or _in(text, _KANA))


def _shop_table() -> Table:
    splits, values = folding_table()
    values = simplified_points(values)
    distinct, index = np.unique(values, return_inverse=True)
    return _expand(splits, index, [_shop_form(chr(p)) for p in distinct])


def _shop_form(character: str) -> str:
    if character in _APOSTROPHES:
        return ""  # men's = mens
    if stands_alone(character):
        return f" {character} "
    return character if unicodedata.category(character)[0] in "LMN" else " "


def _bert_table(lower_case: bool) -> Table:
    forms = [_bert_form(chr(p), lower_case) for p in range(TABLE_SIZE)]
    return _expand(np.arange(TABLE_SIZE + 1), np.arange(TABLE_SIZE), forms)


def _bert_form(character: str, lower_case: bool) -> str:
    if character in "\t\n\r" or unicodedata.category(character)[0] == "Z":
        return " "
    if character == "\ufffd" or unicodedata.category(character) in _REMOVED:
        return ""
    if _in(character, _HAN):
        # Compatibility ideographs decompose, but only after they were set apart.
        return f" {_stripped(character, lower_case)} "
    return "".join(
        f" {c} " if _is_punctuation(c) else c for c in _stripped(character, lower_case)
    )


def _stripped(character: str, lower_case: bool) -> str:
    if not lower_case:
        return character
    text = unicodedata.normalize("NFD", character.lower())
    return "".join(c for c in text if unicodedata.category(c) != "Mn")


def _is_punctuation(character: str) -> bool:
    if character.isascii():
        return not character.isalnum() and not character.isspace()
    return unicodedata.category(character)[0] == "P"


def _in(character: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= ord(character) <= last for first, last in ranges)


def _expand(
    splits: npt.NDArray[np.integer], index: npt.NDArray[np.integer], forms: list[str]
) -> Table:
    """Replaces each value by its form: value v becomes forms[index[v]]."""
    sizes = np.array([len(form) for form in forms])
    points = np.array([ord(c) for form in forms for c in form], np.int32)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    lengths = sizes[index]
    ends = np.concatenate([[0], np.cumsum(lengths)])
    offsets = np.arange(ends[-1]) - np.repeat(ends[:-1], lengths)
    values = points[np.repeat(starts[index], lengths) + offsets]
    return ends[splits].astype(np.int32), values.astype(np.int32)
