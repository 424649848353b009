"""What the rankers learn from: rows of candidates on disk, and what they mean."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

# Beside the rows' files.
META_FILE = "meta.json"


@dataclasses.dataclass(frozen=True)
class RankerRows:
    """R rows of M moments; the moments' rows are contiguous."""

    features: npt.NDArray[np.float32]  # [R, F]
    labels: npt.NDArray[np.float32]  # [R, T], 1 if the event happens in the horizon
    group: npt.NDArray[np.int32]  # [R] moment number
    rows: npt.NDArray[np.int32]  # [R] catalogue rows
    owned: npt.NDArray[np.bool_]  # [R] the target event stands in the history
    # [M, T] distinct items with the event in the horizon, retrieved or not
    truth_size: npt.NDArray[np.int32]
    cutoff: npt.NDArray[np.int64]  # [M] seconds UTC
    # [R] worth of a row in the listwise loss; None: the target event's label.
    gains: npt.NDArray[np.float32] | None = None

    def save(self, path: str | Path) -> None:
        """Writes one npz file."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        arrays = {k: v for k, v in vars(self).items() if v is not None}
        np.savez(path, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> RankerRows:
        with np.load(path) as file:
            return cls(**{name: file[name] for name in file.files})

    @classmethod
    def concatenate(cls, parts: list[RankerRows]) -> RankerRows:
        """Parts one after another, moments renumbered."""
        starts = np.cumsum([0, *(len(p.truth_size) for p in parts[:-1])])
        joined = {
            name: np.concatenate([getattr(p, name) for p in parts])
            for name, value in vars(parts[0]).items()
            if value is not None
        }
        groups = [p.group + start for p, start in zip(parts, starts, strict=True)]
        joined["group"] = np.concatenate(groups).astype(np.int32)
        return cls(**joined)

    @classmethod
    def none(
        cls, num_features: int, num_events: int, *, with_gains: bool = False
    ) -> RankerRows:
        """No rows, of no moments."""
        return cls(
            features=np.zeros((0, num_features), np.float32),
            labels=np.zeros((0, num_events), np.float32),
            group=np.zeros(0, np.int32),
            rows=np.zeros(0, np.int32),
            owned=np.zeros(0, np.bool_),
            truth_size=np.zeros((0, num_events), np.int32),
            cutoff=np.zeros(0, np.int64),
            gains=np.zeros(0, np.float32) if with_gains else None,
        )


def write_meta(
    folder: str | Path, *, feature_names: Sequence[str], event_types: Sequence[str]
) -> None:
    """Writes `meta.json`: what the columns of features and labels mean."""
    meta = {"feature_names": list(feature_names), "event_types": list(event_types)}
    Path(folder).mkdir(parents=True, exist_ok=True)
    (Path(folder) / META_FILE).write_text(json.dumps(meta, indent=1))
