"""Vowel signs and accents that stand as characters of their own."""

from __future__ import annotations

import unicodedata

# `\w` has no marks, yet in many scripts of Asia they are the vowels. Left out are those
# that only change how a character looks: keycaps (Me) and variation selectors, the only
# marks beyond Plane 1. For a class of a regular expression.
MARKS = "".join(
    chr(point)
    for point in range(0x20000)
    if unicodedata.category(chr(point)) in ("Mn", "Mc")
    and not 0xFE00 <= point <= 0xFE0F
)
