"""Keys in order, and the best ones behind a prefix."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from typing import Generic, TypeVar

import numpy as np

from serving.suggest.range_top import RangeTop

ValueT = TypeVar("ValueT")
_AFTER = "\U0010ffff"  # sorts behind every character of a key


class PrefixIndex(Generic[ValueT]):
    """Values by key, each with a score; of equal keys the best-scored one stays."""

    def __init__(self, entries: Iterable[tuple[str, float, ValueT]]) -> None:
        best: dict[str, tuple[float, ValueT]] = {}
        for key, score, value in entries:
            if key and (key not in best or score > best[key][0]):
                best[key] = (score, value)
        self._keys = sorted(best)
        self._values = [best[key][1] for key in self._keys]
        self._scores = np.array([best[key][0] for key in self._keys], np.float32)
        self._ranges = RangeTop(self._scores)

    def __len__(self) -> int:
        return len(self._keys)

    def top(self, prefix: str, k: int) -> list[tuple[str, float, ValueT]]:
        """Key, score and value of the k best entries behind `prefix`, best first."""
        low = bisect.bisect_left(self._keys, prefix)
        high = bisect.bisect_left(self._keys, prefix + _AFTER, low)
        return [
            (self._keys[place], float(self._scores[place]), self._values[place])
            for place in self._ranges.top(low, high, k)
        ]
