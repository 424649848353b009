"""Ranking metrics with graded judgments, of which some of a page may be missing.

All take `pages` [M, k'] int64 (catalogue rows best first; rows outside
0 .. num_items - 1 are empty places) and `Grades` of the same M searches, and return
[M] float64. A search without a grade above 0 gets 0; leave such searches out before
averaging. What is not judged counts as grade 0, but for `condensed`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.metrics.ranking import recall, reciprocal_rank
from core.metrics.truth import FloatArray, IntArray, find_repeats, pair_keys


@dataclasses.dataclass(frozen=True)
class Grades:
    """Judged catalogue rows of M searches, ragged.

    Attributes:
      searches: [T] int64, search number of each judgment, ascending.
      rows: [T] int64, catalogue row, ascending inside a search; a pair appears once.
      values: [T] float64 >= 0: a grade, or any gain (of the simulated shop, a
        probability).
      num_searches: M.
      num_items: n, size of the catalogue.
    """

    searches: IntArray
    rows: IntArray
    values: FloatArray
    num_searches: int
    num_items: int

    @classmethod
    def from_pairs(
        cls,
        searches: npt.ArrayLike,
        rows: npt.ArrayLike,
        values: npt.ArrayLike,
        num_searches: int,
        num_items: int,
    ) -> Grades:
        """Grades from [T] (search, row, value) in any order; the first of a pair.

        Raises:
          ValueError: a search or a row is out of its range.
        """
        pairs = pair_keys(searches, rows, num_searches, num_items)
        keys, first = np.unique(pairs, return_index=True)
        chosen = np.asarray(values, np.float64)[first]
        return cls(keys // num_items, keys % num_items, chosen, num_searches, num_items)

    @property
    def num_relevant(self) -> IntArray:
        """[M] int64, judgments above 0 of each search."""
        relevant = self.searches[self.values > 0]
        return np.bincount(relevant, minlength=self.num_searches).astype(np.int64)

    def as_gains(self) -> Grades:
        """The same with 2^grade - 1 as values, the gain of Burges et al. (2005)."""
        return dataclasses.replace(self, values=np.exp2(self.values) - 1.0)


def grade_matrix(pages: npt.ArrayLike, grades: Grades) -> FloatArray:
    """[M, k'] float64 value at each place; NaN where nothing is judged.

    A row that a page repeats is judged at its first place only.
    """
    shown = np.asarray(pages, np.int64)
    if shown.ndim != 2 or len(shown) != grades.num_searches:
        raise ValueError(
            f"`pages` must be [{grades.num_searches}, k]. Received: {shown.shape}."
        )
    keys = np.arange(len(shown))[:, None] * grades.num_items + shown
    keys = np.where((shown >= 0) & (shown < grades.num_items), keys, -1)
    known = grades.searches * grades.num_items + grades.rows
    if not len(known):
        return np.full(shown.shape, np.nan)
    place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    judged = (known[place] == keys) & ~find_repeats(keys)
    return np.where(judged, grades.values[place], np.nan)


def graded_ndcg(pages: npt.ArrayLike, grades: Grades, k: int) -> FloatArray:
    """DCG of the first k places over that of the best k judgments.

    Järvelin and Kekäläinen, 2002: DCG = sum of value / log2(place + 1), places from 1.
    The gain is the value itself, as trec_eval has it; pass `grades.as_gains()` for
    2^grade - 1.
    """
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    found = np.nan_to_num(grade_matrix(pages, grades))[:, :k]
    gain = found @ discounts[: found.shape[1]]
    ideal = _best_values(grades, k) @ discounts
    return np.divide(gain, ideal, out=np.zeros_like(gain), where=ideal > 0)


def judged_share(pages: npt.ArrayLike, grades: Grades, k: int) -> FloatArray:
    """Judged places among the first k, over k, also where the page is shorter."""
    judged: FloatArray = np.isfinite(grade_matrix(pages, grades)[:, :k]).sum(axis=1)
    return judged / k


def condensed(pages: npt.ArrayLike, grades: Grades) -> IntArray:
    """[M, k'] the pages without what is not judged, -1 at the end.

    Sakai, 2007: a metric of the condensed list does not punish a system for finding
    what nobody judged. The pages should be longer than the metric's k.
    """
    shown = np.asarray(pages, np.int64)
    judged = np.isfinite(grade_matrix(shown, grades))
    order = np.argsort(~judged, axis=1, kind="stable")
    kept: IntArray = np.take_along_axis(np.where(judged, shown, -1), order, axis=1)
    return kept


def search_metrics(
    pages: npt.ArrayLike,
    grades: Grades,
    k_values: Sequence[int],
    *,
    min_value: float = 1.0,
) -> dict[str, FloatArray]:
    """Metric → [M], for each k.

    `ndcg@k` (linear gain, the headline), `ndcg_exp@k` (2^grade - 1), `ndcg_judged@k`
    (linear, condensed list), `judged@k`, `mrr@k` and `recall@k` (uncapped).

    Args:
      pages: [M, k'], k' >= max(k_values); `ndcg_judged` wants it several times longer.
      grades: of the same M searches.
      k_values: lengths.
      min_value: the lowest value that counts as relevant for mrr and recall.
    """
    exponential = grades.as_gains()
    judged_only = condensed(pages, grades)
    hits = np.nan_to_num(grade_matrix(pages, grades)) >= min_value
    relevant = grades.searches[grades.values >= min_value]
    sizes = np.bincount(relevant, minlength=grades.num_searches).astype(np.int64)
    found: dict[str, FloatArray] = {}
    for k in k_values:
        found[f"ndcg@{k}"] = graded_ndcg(pages, grades, k)
        found[f"ndcg_exp@{k}"] = graded_ndcg(pages, exponential, k)
        found[f"ndcg_judged@{k}"] = graded_ndcg(judged_only, grades, k)
        found[f"judged@{k}"] = judged_share(pages, grades, k)
        found[f"mrr@{k}"] = reciprocal_rank(hits, sizes, k)
        found[f"recall@{k}"] = recall(hits, sizes, k, capped=False)
    return found


def _best_values(grades: Grades, k: int) -> FloatArray:
    """[M, k] the k highest values of each search, highest first, then zeros."""
    order = np.lexsort((-grades.values, grades.searches))
    searches, values = grades.searches[order], grades.values[order]
    start = np.searchsorted(searches, np.arange(grades.num_searches))
    place = np.arange(len(searches)) - start[searches]
    best = np.zeros((grades.num_searches, k))
    top = place < k
    best[searches[top], place[top]] = values[top]
    return best
