"""What was relevant, as ragged rows, and which places of a page hit it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Truth:
    """Relevant catalogue rows of M moments, ragged.

    Attributes:
      moments: [T] int64, moment number of each relevant row, ascending.
      rows: [T] int64, catalogue row, in 0 .. num_items - 1; a pair appears once.
      num_moments: M.
      num_items: n, size of the catalogue.
    """

    moments: IntArray
    rows: IntArray
    num_moments: int
    num_items: int

    @classmethod
    def from_pairs(
        cls,
        moments: npt.ArrayLike,
        rows: npt.ArrayLike,
        num_moments: int,
        num_items: int,
    ) -> Truth:
        """Truth from [T] (moment, row) pairs in any order; duplicates are dropped.

        Raises:
          ValueError: a moment or a row is out of its range.
        """
        keys = np.unique(pair_keys(moments, rows, num_moments, num_items))
        return cls(keys // num_items, keys % num_items, num_moments, num_items)

    @classmethod
    def from_lists(cls, lists: Iterable[Iterable[int]], num_items: int) -> Truth:
        """Truth from one list of catalogue rows per moment."""
        arrays = [np.asarray(list(rows), np.int64) for rows in lists]
        lengths = [len(a) for a in arrays]
        moments = np.repeat(np.arange(len(arrays)), lengths)
        rows = np.concatenate(arrays) if arrays else np.empty(0, np.int64)
        return cls.from_pairs(moments, rows, len(arrays), num_items)

    @property
    def sizes(self) -> IntArray:
        """[M] int64, how many rows are relevant for each moment."""
        return np.bincount(self.moments, minlength=self.num_moments).astype(np.int64)

    def without(self, other: Truth) -> Truth:
        """The pairs that `other` does not hold (for the view of new items)."""
        keys = self.moments * self.num_items + self.rows
        theirs = other.moments * other.num_items + other.rows
        keep = ~np.isin(keys, theirs)
        return dataclasses.replace(
            self, moments=self.moments[keep], rows=self.rows[keep]
        )

    def select(self, chosen: BoolArray) -> Truth:
        """Truth of the moments where `chosen` [M] holds, renumbered from 0."""
        numbers = np.cumsum(chosen) - 1
        keep = chosen[self.moments]
        return Truth(
            numbers[self.moments[keep]],
            self.rows[keep],
            int(chosen.sum()),
            self.num_items,
        )


def pair_keys(
    lists: npt.ArrayLike, rows: npt.ArrayLike, num_lists: int, num_items: int
) -> IntArray:
    """[T] list * num_items + row, one number for each (list, row).

    Raises:
      ValueError: one is out of its range: it would count as of another list.
    """
    numbers, places = np.asarray(lists, np.int64), np.asarray(rows, np.int64)
    for name, values, size in (
        ("Lists", numbers, num_lists),
        ("Catalogue rows", places, num_items),
    ):
        wrong = values[(values < 0) | (values >= size)]
        if len(wrong):
            raise ValueError(
                f"{name} must be in 0 .. {size - 1}. Received: {wrong[0]}. Leave out "
                "what is not known."
            )
    return numbers * num_items + places


def hit_matrix(recommended: npt.ArrayLike, truth: Truth) -> BoolArray:
    """[M, k] bool, true where the recommended row is relevant for its moment.

    Args:
      recommended: [M, k] int, catalogue rows best first; rows outside
        0 .. num_items - 1 are empty places and never hit. A row that a page repeats
        hits once, at its first place.
      truth: relevant rows of the same M moments.
    """
    pages = np.asarray(recommended, np.int64)
    if pages.ndim != 2 or len(pages) != truth.num_moments:
        raise ValueError(
            f"`recommended` must be [{truth.num_moments}, k]. Received: {pages.shape}."
        )
    valid = (pages >= 0) & (pages < truth.num_items)
    keys = np.arange(len(pages))[:, None] * truth.num_items + pages
    keys = np.where(valid, keys, -1)
    relevant = np.isin(keys, truth.moments * truth.num_items + truth.rows)
    return relevant & ~find_repeats(keys)


def find_repeats(keys: IntArray) -> BoolArray:
    """[M, k] bool, true where an earlier place of the same page holds the same key."""
    order = np.argsort(keys, axis=1, kind="stable")
    ordered = np.take_along_axis(keys, order, axis=1)
    same = np.zeros_like(ordered, dtype=bool)
    same[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    result = np.empty_like(same)
    np.put_along_axis(result, order, same, axis=1)
    return result
