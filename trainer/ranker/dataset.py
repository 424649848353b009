"""Mined candidate rows in memory, and the lists that one epoch trains on."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import UNREADABLE, ArtifactError
from trainer.funnel.ranker_rows import META_FILE

SPLITS = ("train", "recent", "eval")
Ints = npt.NDArray[np.int64]

# Of a row that says nothing of an event.
UNKNOWN_LABEL = 255


@dataclasses.dataclass(frozen=True, kw_only=True)
class CandidateRows:
    """All moments' candidates, one after another; N rows in M moments."""

    features: npt.NDArray[np.float32]  # [N, F]
    labels: npt.NDArray[np.uint8]  # [N, T] 0, 1, UNKNOWN_LABEL; as event_types
    owned: npt.NDArray[np.bool_]  # [N], bought before the moment
    starts: Ints  # [M + 1], first row of each moment
    truth_size: npt.NDArray[np.int32]  # [M, T], true items, retrieved or not
    cutoff: Ints  # [M], seconds UTC
    split: npt.NDArray[np.int8]  # [M], index into SPLITS
    feature_names: tuple[str, ...]
    event_types: tuple[str, ...]
    # [N] worth in the listwise loss; None: the target event's label.
    gains: npt.NDArray[np.float32] | None = None

    def moments(self, *splits: str) -> Ints:
        """Numbers of the splits' moments that have any candidate."""
        wanted = np.isin(self.split, [SPLITS.index(s) for s in splits])
        return np.flatnonzero(wanted & (np.diff(self.starts) > 0))

    def rows_of(self, moments: Ints) -> Ints:
        """Row numbers of these moments, in their order."""
        sizes = self.starts[moments + 1] - self.starts[moments]
        ends = np.cumsum(sizes)
        offsets = np.repeat(self.starts[moments] - ends + sizes, sizes)
        total = int(ends[-1]) if len(ends) else 0
        numbers: Ints = np.add(offsets, np.arange(total), dtype=np.int64)
        return numbers

    def newest(self, moments: Ints, cutoffs: int) -> Ints:
        """Those of `moments` that lie at the newest `cutoffs` cut-offs among them."""
        newest = np.unique(self.cutoff[moments])[-cutoffs:]
        kept: Ints = moments[np.isin(self.cutoff[moments], newest)]
        return kept


def read_candidates(
    uri: str, *, splits: Sequence[str] = SPLITS, memory_limit_mb: int = 4096
) -> CandidateRows:
    """The candidates artifact's rows.

    Args:
      uri: folder with `meta.json` and `Split-NAME/part-*.npz` (docs/ranker.md).
      splits: which to read; one that the folder lacks counts as empty.
      memory_limit_mb: a larger feature matrix is put into a memory-mapped file.

    Raises:
      ArtifactError: the folder, a file or an array is missing or malformed.
    """
    meta = _read_meta(Path(uri))
    parts = [
        (SPLITS.index(split), path)
        for split in splits
        for path in sorted(Path(uri, f"Split-{split}").glob("part-*.npz"))
    ]
    if not parts:
        raise ArtifactError(
            f"The candidates folder {uri} must hold Split-NAME/part-*.npz files. "
            "Received none. Run the MineNegatives step."
        )
    small = [_read_small(path, meta) for _, path in parts]
    sizes = np.concatenate([part["sizes"] for part in small])
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    matrix = _allocate(int(starts[-1]), len(meta["feature_names"]), memory_limit_mb)
    filled = 0
    for _, path in parts:
        with np.load(path) as arrays:
            rows = arrays["features"]
            matrix[filled : filled + len(rows)] = rows
            filled += len(rows)
    return CandidateRows(
        features=matrix,
        labels=np.concatenate([part["labels"] for part in small]),
        owned=np.concatenate([part["owned"] for part in small]),
        starts=starts,
        truth_size=np.concatenate([part["truth_size"] for part in small]),
        cutoff=np.concatenate([part["cutoff"] for part in small]),
        split=np.concatenate(
            [
                np.full(len(part["sizes"]), number, np.int8)
                for (number, _), part in zip(parts, small, strict=True)
            ]
        ),
        feature_names=tuple(meta["feature_names"]),
        event_types=tuple(meta["event_types"]),
        gains=np.concatenate([part["gains"] for part in small])
        if all("gains" in part for part in small)
        else None,
    )


def sample_lists(
    rows: CandidateRows, moments: Ints, *, size: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """[len(moments), size] row numbers, -1 pads at the end.

    A moment with more rows than `size` keeps its rows with any event and a fresh sample
    of the others.
    """
    first = rows.starts[moments]
    sizes = rows.starts[moments + 1] - first
    slots = np.arange(size)
    lists = np.where(slots < sizes[:, None], first[:, None] + slots, -1)
    long = np.flatnonzero(sizes > size)
    if len(long):
        all_rows = rows.rows_of(moments[long])
        owner = np.repeat(np.arange(len(long)), sizes[long])
        keys = rng.random(len(all_rows), dtype=np.float32)
        keys[(rows.labels[all_rows] == 1).any(axis=1)] -= 1.0
        order = np.lexsort((keys, owner))
        begin = np.cumsum(sizes[long]) - sizes[long]
        lists[long] = all_rows[order[begin[:, None] + slots]]
    return lists


def event_rates(
    rows: CandidateRows, moments: Ints, *, size: int, rng: np.random.Generator
) -> tuple[float, ...]:
    """Each event type's share of the rows in a sample of the moments' lists.

    Rows that say nothing of an event do not count; 0 where none says anything.
    """
    lists = sample_lists(rows, moments, size=size, rng=rng)
    labels = rows.labels[lists[lists >= 0]]
    known = np.sum(labels != UNKNOWN_LABEL, axis=0)
    rates = np.sum(labels == 1, axis=0) / np.maximum(known, 1)
    return tuple(rates.tolist())


def _read_meta(root: Path) -> dict[str, Any]:
    path = root / META_FILE
    try:
        meta: dict[str, Any] = json.loads(path.read_text())
        held = all(meta[key] for key in ("feature_names", "event_types"))
    except (*UNREADABLE, KeyError, TypeError) as error:
        raise ArtifactError(
            f"The candidates folder {root} must hold {META_FILE} with the lists "
            f"`feature_names` and `event_types`. Received: {error!r}. "
            "Run the step that mines them again."
        ) from error
    if not held:
        raise ArtifactError(
            f"`feature_names` and `event_types` must not be empty in {path}."
        )
    return meta


def _read_small(path: Path, meta: dict[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """One shard without its features, checked."""
    try:
        with np.load(path) as arrays:
            part = {
                name: arrays[name]
                for name in ("labels", "owned", "group", "truth_size", "cutoff")
            }
            if "gains" in arrays:
                part["gains"] = arrays["gains"]
    except (*UNREADABLE, KeyError) as error:
        raise ArtifactError(f"{path} is not a candidates shard: {error}.") from error
    num_moments, num_rows = len(part["cutoff"]), len(part["group"])
    group = part.pop("group")
    if num_rows and (
        np.any(np.diff(group) < 0) or group[0] < 0 or group[-1] >= num_moments
    ):
        raise ArtifactError(
            f"{path}: `group` must be moment numbers in ascending order below "
            f"{num_moments} (the length of `cutoff`)."
        )
    for name, size in (("labels", num_rows), ("truth_size", num_moments)):
        if part[name].shape != (size, len(meta["event_types"])):
            raise ArtifactError(
                f"{path}: `{name}` must be [{size}, {len(meta['event_types'])}]. "
                f"Received: {list(part[name].shape)}."
            )
    part["sizes"] = np.bincount(group, minlength=num_moments)
    part["labels"] = (part["labels"] > 0).astype(np.uint8)
    part["cutoff"] = part["cutoff"].astype(np.int64)
    return part


def _allocate(rows: int, width: int, limit_mb: int) -> npt.NDArray[np.float32]:
    if rows * width * 4 <= limit_mb * 2**20:
        return np.empty((rows, width), np.float32)
    # The file has no name from the start: it goes away with the process.
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, np.float32, "w+", shape=(rows, width))
