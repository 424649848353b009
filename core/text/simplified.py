"""Traditional Chinese characters to simplified ones, so that 手機 finds 手机.

For matching alone, never for what is shown: several traditional characters share one
simplified form (發 and 髮 are both 发), and a shop's own script is its own.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import numpy.typing as npt

_FILE = Path(__file__).with_name("simplified.txt")


@functools.lru_cache(maxsize=1)
def simplified_forms() -> dict[int, int]:
    """Code points of traditional characters -> of their simplified forms.

    For `str.translate`. No form has one itself.
    """
    lines = _FILE.read_text("utf-8").splitlines()
    pairs = " ".join(line for line in lines if not line.startswith("#")).split()
    return {ord(pair[0]): ord(pair[1]) for pair in pairs}


def simplify(text: str) -> str:
    """The text in simplified characters, one for each.

    >>> simplify("手機殼 保溫杯 Mug")
    '手机壳 保温杯 Mug'
    """
    return text.translate(simplified_forms())


def simplified_points(points: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The same of code points of any shape, a new array."""
    distinct, places = np.unique(points, return_inverse=True)
    forms = simplified_forms()
    changed = np.array([forms.get(p, p) for p in distinct.tolist()], np.int32)
    return changed[places].reshape(points.shape)
