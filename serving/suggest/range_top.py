"""The best of any range of a list, without looking at all of it."""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt


class RangeTop:
    """Top-k over [low, high) of fixed scores in O(k log k), whatever the range.

    A sparse table holds the place of the maximum of every window of 2^j scores
    (n log2 n numbers); the next best of a range is the best of what remains left and
    right of the last one (Bender and Farach-Colton 2000; Muthukrishnan 2002).
    """

    def __init__(self, scores: npt.NDArray[np.float32]) -> None:
        """Scores [n]; equal ones are given in order of place."""
        self._scores = scores
        self._best = [np.arange(len(scores), dtype=np.int32)]
        width = 1
        while 2 * width <= len(scores):
            left = self._best[-1][:-width]
            right = self._best[-1][width:]
            better = scores[right] > scores[left]
            self._best.append(np.where(better, right, left).astype(np.int32))
            width *= 2

    def top(self, low: int, high: int, k: int) -> list[int]:
        """Places of the k best scores in [low, high), best first."""
        if high <= low:
            return []
        found: list[int] = []
        heap = [self._entry(low, high)]
        while heap and len(found) < k:
            _, place, first, last = heapq.heappop(heap)
            found.append(place)
            for start, stop in ((first, place), (place + 1, last)):
                if start < stop:
                    heapq.heappush(heap, self._entry(start, stop))
        return found

    def _entry(self, low: int, high: int) -> tuple[float, int, int, int]:
        level = (high - low).bit_length() - 1
        best = self._best[level]
        left, right = int(best[low]), int(best[high - (1 << level)])
        place = right if self._scores[right] > self._scores[left] else left
        return -float(self._scores[place]), place, low, high
