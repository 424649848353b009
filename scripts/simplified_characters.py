"""Writes core/text/simplified.txt anew, from OpenCC's table of characters.

    pip install opencc
    python scripts/simplified_characters.py

Characters alone: which of several simplified ones a word needs (乾 in 乾坤) is left
out, since both sides of a search are read alike.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

import opencc

_FILE = Path(__file__).parents[1] / "core" / "text" / "simplified.txt"

_HAN = range(0x4E00, 0xA000)  # the block of nearly all that is written
_HEAD = """\
# Traditional Chinese characters, each followed by its simplified form.
# From OpenCC {version} (t2s, characters alone), Apache License 2.0, Copyright BYVoid
# and contributors; written by scripts/simplified_characters.py.
"""


def main() -> None:
    convert = opencc.OpenCC("t2s").convert
    pairs = []
    for point in _HAN:
        character = chr(point)
        simplified = convert(character)
        while convert(simplified) != simplified:  # 薴, 苧, 苎
            simplified = convert(simplified)
        is_other = simplified != character and len(simplified) == 1
        if is_other and ord(simplified) in _HAN:
            pairs.append(character + simplified)
    head = _HEAD.format(version=opencc.__version__)
    _FILE.write_text(f"{head}{textwrap.fill(' '.join(pairs), 63)}\n", "utf-8")


if __name__ == "__main__":
    main()
