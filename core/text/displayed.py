"""Text as the catalogue shows it: NFKC, single spaces, no control characters."""

from __future__ import annotations

import unicodedata

from core.features import CATEGORY_SEPARATOR

# Control characters and marks inside words go (soft hyphens, word joiners, marks of
# direction); what parts words becomes a space, in Khmer and Thai U+200B.
_INVISIBLE = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0xAD, 0xFEFF])
_INVISIBLE |= dict.fromkeys([0x200E, 0x200F, *range(0x202A, 0x202F)])
_INVISIBLE |= dict.fromkeys(range(0x2060, 0x2070))
_INVISIBLE |= dict.fromkeys([0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x200B], " ")
# Joiners mean something between letters (Persian, Hindi) and in emoji, not at the ends.
_JOINERS = "\u200c\u200d"


def displayed(text: str) -> str:
    """NFKC form without control characters, white space collapsed; case is kept."""
    visible = unicodedata.normalize("NFKC", text).translate(_INVISIBLE)
    words = (word.strip(_JOINERS) for word in visible.split())
    return " ".join(word for word in words if word)


def category_path(text: str) -> str:
    """The same, one separator between levels that hold something.

    >>> category_path("Kitchen>Mugs ＞")
    'Kitchen > Mugs'
    """
    return CATEGORY_SEPARATOR.join(category_levels(text))


def category_levels(text: str) -> list[str]:
    """The levels of a category path, the widest first; none of an empty one."""
    levels = (level.strip() for level in displayed(text).split(">"))
    return [level for level in levels if level]
