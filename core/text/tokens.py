"""Text to index terms in plain Python: the rules of the graph's analyzer.

`trainer.search.analyzer` follows the same rules in TensorFlow string ops and takes its
stop words and plural endings from here; a test compares the two on every code point, on
real titles and on random texts. This side also tells where each token stood.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
import unicodedata

from core.text.folding import TABLE_SIZE, fold
from core.text.simplified import simplify

# Longer queries are cut: bounded time whatever a client sends.
MAX_QUERY_CHARACTERS = 256

STOP_WORDS = (
    "a",
    "an",
    "and",
    "are",
    "as",
    "at",
    "be",
    "by",
    "for",
    "from",
    "in",
    "is",
    "it",
    "of",
    "on",
    "or",
    "that",
    "the",
    "this",
    "to",
    "with",
)

# English plurals to singulars: (ending, what stands for it). An S stemmer after Harman
# (1991), with the -es of sibilants cut whole so that `dresses` meets `dress`, and -ie
# as -y, since -ies is the plural of both (`hoodie`, `berry`).
PLURALS = (
    (r"^([a-z]{2,}(?:ss|x|ch|sh|zz))es$", r"\1"),
    (r"^([a-z]{2,})ies?$", r"\1y"),
    (r"^([a-z]{2,}[^us\W\d])s$", r"\1"),
)

# Scripts Han, Hiragana and Katakana (Scripts.txt of Unicode) up to TABLE_SIZE, and the
# long vowel mark, which is Common there and part of Japanese words.
_IDEOGRAPHS = (
    (0x2E80, 0x2FD5),
    (0x3005, 0x3005),
    (0x3007, 0x3007),
    (0x3021, 0x3029),
    (0x3038, 0x303B),
    (0x3041, 0x3096),
    (0x309D, 0x309F),
    (0x30A1, 0x30FA),
    (0x30FC, 0x30FF),
    (0x31F0, 0x31FF),
    (0x32D0, 0x32FE),
    (0x3300, 0x3357),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAD9),
    (0xFF66, 0xFF6F),
    (0xFF71, 0xFF9D),
    (0x16FE2, 0x16FE3),
    (0x16FF0, 0x16FF1),
    (0x1AFF0, 0x1AFFE),
    (0x1B000, 0x1B122),
    (0x1B132, 0x1B132),
    (0x1B150, 0x1B152),
    (0x1B155, 0x1B155),
    (0x1B164, 0x1B167),
    (0x20000, 0x2FA1D),
)
_PRIVATE = range(0xE000, 0xE010)  # the graph's marks; never part of a text

# Each folded character's kind: letter, mark, ASCII digit, other number, ideograph (and
# ideographic number), the characters that rules name, or a gap.
_LETTER, _MARK, _DIGIT, _NUMBER, _IDEOGRAPH, _IDEOGRAPH_NUMBER, _GAP = "lmdncC "
_BOUND = re.compile(r"(?<=[lc])'(?=[lc])")
_DECIMAL = re.compile(r"d\.d")
_TOKEN = re.compile(r"d+(?:_d+)*|[cC]|[lmn_]+")


@dataclasses.dataclass(frozen=True, slots=True)
class Token:
    """One word, number or ideograph of a text."""

    surface: str  # folded, as written: `mugs`
    term: str  # what the index holds: `mug`, simplified Chinese; '' for a stop word
    start: int  # characters of the text it came from, [start, end)
    end: int
    is_ideograph: bool
    touches: bool  # no gap between it and the token before


def tokenize(text: str, max_characters: int | None = None) -> list[Token]:
    """The tokens of a text in order, stop words included.

    Args:
      text: any string; what is no character counts as a gap.
      max_characters: how much of it is read; None for all.
    """
    folded, origins = _fold_with_origins(text[:max_characters])
    kinds = "".join(map(_kind, folded))
    bound = _bound_apostrophes(kinds)
    if bound:
        kept = [i for i in range(len(kinds)) if i not in bound]
        folded = "".join(folded[i] for i in kept)
        kinds = "".join(kinds[i] for i in kept)
        origins = [origins[i] for i in kept]
    kinds = _DECIMAL.sub("d_d", kinds)
    tokens, last_end = [], -1
    for match in _TOKEN.finditer(kinds):
        start, end = match.span()
        surface = _surface(folded[start:end], kinds[start:end])
        tokens.append(
            Token(
                surface=surface,
                term=term(surface),
                start=origins[start],
                end=origins[end - 1] + 1,
                is_ideograph=kinds[start] in "cC",
                touches=start == last_end,
            )
        )
        last_end = end
    return tokens


def terms(text: str, max_characters: int | None = None) -> list[str]:
    """The index terms of a text as the graph's analyzer gives them.

    Words in text order, then each pair of ideographs that touch.

    >>> terms("Red MUGS of the 保温杯")
    ['red', 'mug', '保', '温', '杯', '保温', '温杯']
    """
    tokens = tokenize(text, max_characters)
    singles = [token.term for token in tokens if token.term]
    pairs = [
        first.term + second.term
        for first, second in itertools.pairwise(tokens)
        if first.is_ideograph and second.is_ideograph and second.touches
    ]
    return singles + pairs


def singular(word: str) -> str:
    """A folded English plural's singular; any other word as it is."""
    for ending, replacement in _PLURAL_RULES:
        word = ending.sub(replacement, word)
    return word


@functools.lru_cache(maxsize=65_536)
def term(word: str) -> str:
    """The index term of a folded word; '' for a stop word."""
    return "" if word in _STOP_SET else singular(simplify(word))


# RE2's \W and \d, which the graph uses, know ASCII only.
_PLURAL_RULES = tuple(
    (re.compile(ending.replace("$", r"\Z"), re.ASCII), replacement)
    for ending, replacement in PLURALS
)


def _fold_with_origins(text: str) -> tuple[str, list[int]]:
    """The folded text and, for each of its characters, where it came from."""
    parts, origins = [], []
    for place, character in enumerate(text):
        folded = _fold(character)
        parts.append(folded)
        origins.extend([place] * len(folded))
    return "".join(parts), origins


@functools.lru_cache(maxsize=65_536)
def _fold(character: str) -> str:
    point = ord(character)
    if point >= TABLE_SIZE or 0xD800 <= point < 0xE000 or point in _PRIVATE:
        return " "
    return fold(character)


@functools.lru_cache(maxsize=65_536)
def _kind(character: str) -> str:
    if character in "'_.":
        return character
    if character == "’":
        return "'"
    if character == ",":
        return "."
    if character in "0123456789":
        return _DIGIT
    category = unicodedata.category(character)[0]
    if category not in "LMN":
        return _GAP
    point = ord(character)
    if any(first <= point <= last for first, last in _IDEOGRAPHS):
        return _IDEOGRAPH if category == "L" else _IDEOGRAPH_NUMBER
    return {"L": _LETTER, "M": _MARK, "N": _NUMBER}[category]


def _bound_apostrophes(kinds: str) -> set[int]:
    """Apostrophes inside a word; of two around one letter only the first binds."""
    bound: set[int] = set()
    for match in _BOUND.finditer(kinds):
        place = match.start()
        if place - 2 not in bound:
            bound.add(place)
    return bound


def _surface(text: str, kinds: str) -> str:
    """Decimal points are written as such whatever stood there, as in the index."""
    return "".join(
        "." if kind == "_" else character
        for character, kind in zip(text, kinds, strict=True)
    )


_STOP_SET = frozenset(STOP_WORDS)
