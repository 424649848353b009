"""Code points folded one by one: compatibility forms, case and accents.

Removing the accents of a decomposed string makes folding a map from one code point to a
few, so a table does it, in Python and in the graph alike, and the table travels in the
bundle: no skew between Unicode versions.
"""

from __future__ import annotations

import functools
import unicodedata

import numpy as np
import numpy.typing as npt

# Planes 0 to 2; code points beyond (private use, tags) stay as they are.
TABLE_SIZE = 0x30000
# Latin, Greek and Cyrillic accents. Marks of other scripts are part of their letters.
_ACCENTS = range(0x0300, 0x0370)
# Soft hyphen, word joiner, byte order mark: inside words, and no part of them.
_INSIDE_WORDS = (0xAD, 0x2060, 0xFEFF)


def fold(character: str) -> str:
    """One character in compatibility form, case-folded, without accents.

    >>> fold("É"), fold("㎝"), fold("Ａ"), fold("ß"), fold("茶")
    ('e', 'cm', 'a', 'ss', '茶')
    """
    if ord(character) in _INSIDE_WORDS:
        return ""
    if character.isdecimal():  # of any script: Arabic, Devanagari, Thai
        return str(unicodedata.decimal(character))
    text = unicodedata.normalize("NFKD", character).casefold()
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if ord(c) not in _ACCENTS)
    return unicodedata.normalize("NFC", text)


@functools.lru_cache(maxsize=1)
def folding_table() -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Row splits [TABLE_SIZE + 1] and values of the code points each one becomes."""
    values: list[int] = []
    splits = np.zeros(TABLE_SIZE + 1, np.int32)
    for point in range(TABLE_SIZE):
        if 0xD800 <= point < 0xE000:  # surrogates are no characters
            folded = " "
        else:
            folded = fold(chr(point))
        values.extend(map(ord, folded))
        splits[point + 1] = len(values)
    return splits, np.array(values, np.int32)
