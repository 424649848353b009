"""Parts of moments: every moment once, in order, at one cut-off."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from components.arrow_elements import write_shard
from components.moment_parts import MomentPart, plan_parts, read_part

# Cut-off and user of each moment, by split and file.
STORED = {
    "train": [[(10, "a"), (20, "b"), (10, "c")], [(20, "d"), (10, "e"), (10, "f")]],
    "eval": [[(30, "a")], [(30, "g"), (30, "h")]],
}


@pytest.fixture
def uri(tmp_path: Path) -> str:
    for split, files in STORED.items():
        for number, moments in enumerate(files):
            cutoffs, users = zip(*moments, strict=True)
            table = pa.table({"timestamp": pa.array(cutoffs), "user_id": list(users)})
            write_shard(str(tmp_path), split, table, number, 2, row_group_size=2)
    return str(tmp_path)


def planned(uri: str, **changes: int) -> list[MomentPart]:
    settings = {"max_moments": 100, "size": 3, "seed": 1} | changes
    return plan_parts(uri, ("train", "eval"), "timestamp", **settings)


def users(part: MomentPart) -> list[str]:
    table = read_part(part)
    assert set(table["timestamp"].to_pylist()) == {part.cutoff}
    found: list[str] = table["user_id"].to_pylist()
    return found


def test_parts_hold_each_cut_off_in_the_order_of_the_files(uri: str) -> None:
    parts = planned(uri)
    assert [(p.number, p.place, p.cutoff, p.split, users(p)) for p in parts] == [
        (0, 0, 10, "train", ["a", "c", "e"]),
        (0, 1, 10, "train", ["f"]),
        (1, 0, 20, "train", ["b", "d"]),
        (2, 0, 30, "eval", ["a", "g", "h"]),
    ]
    assert [len(part) for part in parts] == [3, 1, 2, 3]


def test_a_sample_is_of_each_cut_off_and_the_same_again(uri: str) -> None:
    parts = planned(uri, max_moments=2)
    assert [(p.cutoff, len(p)) for p in parts] == [(10, 2), (20, 2), (30, 2)]
    some = users(parts[0])
    assert set(some) < {"a", "c", "e", "f"} and some == sorted(some)
    assert [users(p) for p in planned(uri, max_moments=2)] == [users(p) for p in parts]


def test_no_moments_are_no_parts(tmp_path: Path) -> None:
    assert planned(str(tmp_path)) == []
