"""Moments of one cut-off in parts that a worker reads and works on at a time.

Whoever plans reads one column of integers; the moments themselves are read by the
workers, row group by row group.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from components import arrow_elements
from trainer.data import examples

IntArray = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class MomentPart:
    """Some moments of one split, all at one cut-off."""

    number: int  # of the (cut-off, split) among all, oldest first
    place: int  # of the part among those of its cut-off and split
    cutoff: int  # seconds UTC
    split: str
    rows: tuple[tuple[str, int, IntArray], ...]  # file, row group, rows of it

    def __len__(self) -> int:
        return sum(len(rows) for _, _, rows in self.rows)


def plan_parts(
    uri: str,
    splits: Sequence[str],
    column: str,
    *,
    max_moments: int,
    size: int,
    seed: int,
) -> list[MomentPart]:
    """Parts of at most `size` moments, oldest cut-off first.

    Args:
      uri: an Examples artifact with Parquet payload.
      splits: which to read.
      column: the integer column with the moments' cut-offs.
      max_moments: of a cut-off and split; more are sampled down to it.
      size: moments of a part, the last may have fewer.
      seed: of the samples.
    """
    found: dict[tuple[int, str], list[tuple[str, int, IntArray]]] = {}
    for split in splits:
        for _, path, group in arrow_elements.row_groups(uri, [split]):
            cutoffs = _read(path, group, [column]).column(column).to_numpy()
            for cutoff in np.unique(cutoffs):
                rows = np.flatnonzero(cutoffs == cutoff)
                found.setdefault((int(cutoff), split), []).append((path, group, rows))
    return [
        MomentPart(number, place, cutoff, split, rows)
        for number, ((cutoff, split), groups) in enumerate(sorted(found.items()))
        for place, rows in enumerate(
            _cut(groups, max_moments, size, np.random.default_rng(seed))
        )
    ]


def read_part(part: MomentPart) -> pa.Table:
    """The part's moments, in the order of the artifact, as plain columns."""
    tables = [
        _read(path, group).take(pa.array(rows)) for path, group, rows in part.rows
    ]
    return pa.concat_tables(tables)


def _cut(
    groups: list[tuple[str, int, IntArray]],
    max_moments: int,
    size: int,
    rng: np.random.Generator,
) -> list[tuple[tuple[str, int, IntArray], ...]]:
    """The rows of each part by file and row group."""
    lengths = np.array([len(rows) for _, _, rows in groups])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    chosen = np.arange(starts[-1])
    if len(chosen) > max_moments:
        chosen = np.sort(rng.choice(chosen, max_moments, replace=False))
    parts = []
    for start in range(0, len(chosen), size):
        here = chosen[start : start + size]
        owners = np.searchsorted(starts, here, side="right") - 1
        parts.append(
            tuple(
                (path, group, rows[here[owners == owner] - starts[owner]])
                for owner, (path, group, rows) in enumerate(groups)
                if (owners == owner).any()
            )
        )
    return parts


def _read(path: str, group: int, columns: list[str] | None = None) -> pa.Table:
    file = pq.ParquetFile(path)
    return examples.from_examples(file.read_row_group(group, columns))
