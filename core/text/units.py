"""What a person takes for a word, and the form in which prefixes are compared."""

from __future__ import annotations

import dataclasses
import re

from core.text.simplified import simplify
from core.text.tokens import MAX_QUERY_CHARACTERS, Token, term, tokenize


@dataclasses.dataclass(frozen=True, slots=True)
class Unit:
    """A word, a number, or a whole run of ideographs."""

    surface: str
    term: str  # '' for a stop word and for a run of ideographs
    start: int  # characters of the text, [start, end)
    end: int
    is_ideographs: bool


def units(text: str, max_characters: int | None = None) -> list[Unit]:
    """The words of a text in order; ideographs that touch are one unit.

    >>> [unit.surface for unit in units("Red 保温杯 10cm")]
    ['red', '保温杯', '10', 'cm']
    """
    found: list[Unit] = []
    for token in tokenize(text, max_characters):
        last = found[-1] if found else None
        if token.is_ideograph and last and last.is_ideographs and token.touches:
            found[-1] = Unit(
                last.surface + token.surface, "", last.start, token.end, True
            )
        else:
            found.append(_unit(token))
    return found


def words_and_terms(text: str) -> list[tuple[str, str]]:
    """Surface and term of each of a text's units: `units` without their places.

    >>> words_and_terms("Red mugs of the 保温杯")[1:3]
    [('mugs', 'mug'), ('of', '')]
    """
    if text.isascii():
        return [(word, term(word)) for word in _ascii_key(text.lower()).split()]
    return [(unit.surface, unit.term) for unit in units(text)]


def completion_key(text: str, max_characters: int | None = None) -> str:
    """Folded words with one space between them, none between ideographs, simplified.

    >>> completion_key("T-LIGHT Holder, 10cm"), completion_key("不鏽鋼 保温杯 500ml")
    ('t light holder 10 cm', '不锈钢保温杯 500 ml')
    """
    text = text[:max_characters]
    if text.isascii():
        return _ascii_key(text.lower())
    parts: list[str] = []
    last: Token | None = None
    for token in tokenize(text):
        if last is not None and not (last.is_ideograph and token.is_ideograph):
            parts.append(" ")
        parts.append(token.surface)
        last = token
    return simplify("".join(parts))


def _ascii_key(text: str) -> str:
    """The same by three regular expressions, ten times as fast: most texts are ASCII,
    and a server that loads a lexicon makes some hundred thousand keys."""
    text = _BOUND.sub(r"\1\2", text)
    text = _DECIMAL.sub(r"\1_\2", text)
    return " ".join(_TOKEN.findall(text)).replace("_", ".")


_BOUND = re.compile(r"([a-z])'([a-z])")
_DECIMAL = re.compile(r"([0-9])[.,]([0-9])")
_TOKEN = re.compile(r"[0-9]+(?:_[0-9]+)*|[a-z_]+")


def prefix_key(text: str) -> str:
    """`completion_key` of what was typed so far; a space at its end ends the word.

    It is a prefix of the key of every text that goes on from `text` with a word.
    """
    # What an underscore at the end is shows behind it: 11_2 is one number, 11_a is two.
    text = text[:MAX_QUERY_CHARACTERS].rstrip("_")
    key = completion_key(text)
    if key and text[-1].isspace() and not tokenize(text)[-1].is_ideograph:
        key += " "
    return key


def _unit(token: Token) -> Unit:
    return Unit(
        surface=token.surface,
        term="" if token.is_ideograph else token.term,
        start=token.start,
        end=token.end,
        is_ideographs=token.is_ideograph,
    )
