"""How likely each slot of a search page is looked at, from clicks alone."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ArtifactError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FILE_NAME = "propensities.json"
_MAX_ROUNDS = 1_000
_TOLERANCE = 1e-6


@dataclasses.dataclass(frozen=True)
class Propensities:
    """Examination propensities by slot, relative to the first."""

    values: FloatArray  # [L] > 0, values[0] == 1; slots beyond L have the last value
    counts: IntArray  # [L] clicks that each value rests on

    def at(self, positions: npt.ArrayLike) -> FloatArray:
        """Propensity of each slot, 0 first; 1 where the slot is unknown (< 0)."""
        slots = np.asarray(positions, dtype=np.int64)
        values = self.values[np.clip(slots, 0, len(self.values) - 1)]
        return np.where(slots < 0, 1.0, values)

    def weights(self, positions: npt.ArrayLike, max_weight: float = 10.0) -> FloatArray:
        """Inverse propensities, cut at `max_weight`: variance against a little bias."""
        return np.asarray(np.minimum(1.0 / self.at(positions), max_weight))

    def save(self, folder: str | Path) -> Path:
        """Writes `folder/propensities.json` and returns its path."""
        path = Path(folder) / FILE_NAME
        path.parent.mkdir(parents=True, exist_ok=True)
        fields = {"values": self.values.tolist(), "counts": self.counts.tolist()}
        path.write_text(json.dumps(fields))
        return path

    @classmethod
    def load(cls, folder: str | Path) -> Propensities:
        """Reads what `save` wrote.

        Raises:
          ArtifactError: the file is missing or not readable.
        """
        path = Path(folder) / FILE_NAME
        try:
            fields = json.loads(path.read_text())
            values = np.asarray(fields["values"], np.float64)
            return cls(values, np.asarray(fields["counts"], np.int64))
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise ArtifactError(
                f"Propensities must be readable at {path}. Received: {error}. "
                "Run the ItemNeighbours step again."
            ) from error


def estimate_propensities(
    queries: IntArray,
    items: IntArray,
    positions: IntArray,
    clicked: npt.NDArray[np.bool_],
    *,
    max_positions: int = 50,
    smoothing: float = 20.0,
) -> Propensities:
    """Propensities of the position-based click model, whatever ranked the pages.

    P(click) = examine[position] * attract[query, item] (Craswell et al., 2008). Every
    pair has an attractiveness of its own, so a ranking that puts the best on top
    explains nothing away: only pairs that were shown in several slots count, as in
    intervention harvesting (Agarwal et al., 2019). Both factors are fitted by
    alternating maximum likelihood of Poisson counts,

        attract_j = clicks_j / sum_p shown_jp examine_p
        examine_p = clicks_p / sum_j shown_jp attract_j

    which equals the likelihood of where a pair was clicked given how often (Hausman,
    Hall and Griliches, 1984). It is therefore consistent although each pair is seen a
    few times, where EM with one parameter per pair (Wang et al., 2018) is not. What
    few clicks say is drawn towards a power law (1 + p)^-eta fitted to all slots.

    Args:
      queries: [N] codes of the (normalized) queries.
      items: [N] item codes.
      positions: [N] slot, 0 first; impressions with an unknown slot (< 0) do not count.
      clicked: [N] whether the impression was clicked.
      max_positions: L at most; slots further down count as the last.
      smoothing: clicks at the power law's rate that every slot starts with.

    Returns:
      Propensities of as many slots as there are, at least one; all 1 where the log does
      not tell (no clicks, one slot, no pair in two slots).
    """
    known = positions >= 0
    slots = np.minimum(positions[known], max_positions - 1)
    num_slots = int(slots.max(initial=0)) + 1
    pairs = _pair_numbers(queries[known], items[known])
    cells, cell_of = np.unique(pairs * num_slots + slots, return_inverse=True)
    shown = np.bincount(cell_of, minlength=len(cells)).astype(np.float64)
    clicks = _sums(cell_of, clicked[known], len(cells))
    pair, slot = cells // num_slots, cells % num_slots
    # A pair in one slot, or without a click, says nothing of where people look.
    tells = (np.bincount(pair) > 1) & (_sums(pair, clicks, 0) > 0)
    kept = tells[pair]
    _, pair = np.unique(pair[kept], return_inverse=True)
    return _fit(
        pair, slot[kept], shown[kept], clicks[kept], num_slots=num_slots, pull=smoothing
    )


def _pair_numbers(queries: IntArray, items: IntArray) -> IntArray:
    span = int(items.max(initial=0)) + 1
    _, numbers = np.unique(queries * span + items, return_inverse=True)
    return numbers.astype(np.int64)


def _sums(groups: IntArray, values: npt.NDArray[Any], size: int) -> FloatArray:
    """[size or more] sum of the values of each group."""
    sums = np.bincount(groups, weights=values.astype(np.float64), minlength=size)
    return np.asarray(sums, dtype=np.float64)


def _fit(
    pair: IntArray,
    slot: IntArray,
    shown: FloatArray,
    clicks: FloatArray,
    *,
    num_slots: int,
    pull: float,
) -> Propensities:
    """Alternating fit over (pair, slot) cells; arguments [cells]."""
    by_pair = _sums(pair, clicks, 0)
    by_slot = _sums(slot, clicks, num_slots)
    seen = _sums(slot, shown, num_slots)
    # Slots that no pair connects keep the ratio of their click rates.
    examine = np.where(seen > 0, (by_slot + 1.0) / (seen + 1.0), 1.0)
    expected = np.zeros(num_slots)
    for _ in range(_MAX_ROUNDS):
        before = examine
        attract = by_pair / _sums(pair, shown * examine[slot], 0)
        expected = _sums(slot, shown * attract[pair], num_slots)
        rate = np.maximum(by_slot, 1e-3) / np.maximum(expected, 1e-9)
        examine = np.where(expected > 0, rate, examine)
        if np.abs(np.log(examine / before)).max() < _TOLERANCE:
            break
    law = _power_law(examine, by_slot)
    values = (by_slot + pull) / (expected + pull / law)
    return Propensities(values / values[0], by_slot.astype(np.int64))


def _power_law(examine: FloatArray, clicks: FloatArray) -> FloatArray:
    """[L] c (1 + p)^-eta, least squares of logarithms weighted by clicks."""
    known = np.flatnonzero(clicks > 0)
    if not len(known):
        return np.ones(len(examine))
    x, y, w = np.log1p(known), np.log(examine[known]), clicks[known]
    centre, level = np.average(x, weights=w), np.average(y, weights=w)
    spread = float(np.sum(w * (x - centre) ** 2))
    slope = float(np.sum(w * (x - centre) * (y - level))) / spread if spread else 0.0
    return np.exp(level + slope * (np.log1p(np.arange(len(examine))) - centre))
