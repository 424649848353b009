"""Constructed worlds with a known answer, as candidate folders of the real shape."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from trainer.ranker.dataset import CandidateRows, read_candidates

DAY = 86_400
EVAL_CUTOFF = 1_000 * DAY
FEATURES = ("person_side", "item_side", "noise", "constant", "log_count")


def checkerboard(
    rng: np.random.Generator, moments: int, rows: int
) -> dict[str, np.ndarray]:
    """A person on one side buys exactly the items of the same side (an XOR).

    Neither side alone says anything: only their product does.
    """
    person = rng.choice([-1.0, 1.0], (moments, 1)).repeat(rows, 1)
    item = rng.choice([-1.0, 1.0], (moments, rows))
    features = np.stack(
        [
            person,
            item,
            rng.normal(size=person.shape),
            np.full(person.shape, 7.0),
            rng.integers(0, 1000, person.shape),
        ],
        -1,
    ).reshape(-1, len(FEATURES))
    bought = (person == item).reshape(-1)
    viewed = bought | (rng.random(bought.shape) < 0.2)
    labels = np.stack([viewed, bought], 1)
    return {
        "features": features.astype(np.float32),
        "labels": labels.astype(np.float32),
        "group": np.repeat(np.arange(moments), rows).astype(np.int32),
        "rows": rng.integers(0, 100, moments * rows).astype(np.int32),
        "owned": rng.random(moments * rows) < 0.3,
        "truth_size": labels.reshape(moments, rows, 2).sum(1).astype(np.int32),
    }


def write_world(
    folder: Path, *, moments: int = 60, rows: int = 16, seed: int = 0
) -> str:
    """A folder with train (two cut-offs), recent and eval; returns its path."""
    rng = np.random.default_rng(seed)
    plan = [
        ("train", 0, EVAL_CUTOFF - 28 * DAY),
        ("train", 1, EVAL_CUTOFF - 21 * DAY),
        ("recent", 0, EVAL_CUTOFF - 7 * DAY),
        ("eval", 0, EVAL_CUTOFF),
    ]
    for split, part, cutoff in plan:
        arrays = checkerboard(rng, moments, rows)
        arrays["cutoff"] = np.full(moments, cutoff, np.int64)
        (folder / f"Split-{split}").mkdir(parents=True, exist_ok=True)
        np.savez(folder / f"Split-{split}" / f"part-{part:05d}.npz", **arrays)
    meta = {"feature_names": FEATURES, "event_types": ["view", "purchase"]}
    (folder / "meta.json").write_text(json.dumps(meta))
    return str(folder)


def world(folder: Path, **sizes: int) -> CandidateRows:
    """The rows of `write_world`."""
    return read_candidates(write_world(folder, **sizes))
