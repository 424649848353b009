"""Logs that fit are read whole; of larger ones, everything of some users."""

from __future__ import annotations

import zlib
from pathlib import Path

import pyarrow as pa
import pytest

from core.errors import ArtifactError
from trainer.data.examples import write_split
from trainer.data.log_sample import iterate_log, read_log, share_of_users

COLUMNS = ("user_id", "timestamp")


def _log(num_users: int, per_user: int) -> pa.Table:
    """Users take turns, so that no row group holds a user alone."""
    users = [f"u{i}" for i in range(num_users)] * per_user
    return pa.table({"user_id": users, "timestamp": list(range(len(users)))})


@pytest.fixture
def uri(tmp_path: Path) -> str:
    log = _log(num_users=400, per_user=5)
    write_split(str(tmp_path), "train", log.slice(0, 1500), num_shards=3)
    write_split(str(tmp_path), "test", log.slice(1500))
    return str(tmp_path)


def test_a_log_that_fits_is_read_whole_and_in_order(uri: str) -> None:
    assert share_of_users(uri, ["train", "test", "absent"], 2000) == 1.0
    found = read_log(uri, ["train", "test", "absent"], COLUMNS, optional=["query"])
    assert found.column("timestamp").to_pylist() == list(range(2000))
    assert found.column_names == ["user_id", "timestamp"]  # `query` is not stored


def test_of_a_larger_log_some_users_keep_every_row(uri: str) -> None:
    share = share_of_users(uri, ["train", "test"], 500)
    assert share == 0.25
    found = read_log(uri, ["train", "test"], COLUMNS, share)
    counts = found.column("user_id").value_counts().to_pylist()
    assert {entry["counts"] for entry in counts} == {5}
    # The rule by hand: CRC-32 below a quarter of its range.
    inside = {f"u{i}" for i in range(400) if zlib.crc32(f"u{i}".encode()) < 2**30}
    assert {entry["values"] for entry in counts} == inside
    assert 60 < len(inside) < 140  # 100 expected, sd 8.7


def test_a_smaller_share_is_part_of_a_larger_one(uri: str) -> None:
    small, large = (
        set(read_log(uri, ["train"], COLUMNS, share).column("user_id").to_pylist())
        for share in (0.1, 0.3)
    )
    assert small < large


def test_rows_without_a_user_are_nobodys(tmp_path: Path) -> None:
    table = pa.table({"user_id": ["a", None], "timestamp": [1, 2]})
    write_split(str(tmp_path), "train", table)
    # 0xe8b7be43, the CRC-32 of "a", is .909 of 2**32.
    found = read_log(str(tmp_path), ["train"], COLUMNS, 0.92)
    assert found.column("timestamp").to_pylist() == [1]
    assert read_log(str(tmp_path), ["train"], COLUMNS, 0.9).num_rows == 0


def test_an_empty_split_may_lack_columns(tmp_path: Path) -> None:
    write_split(str(tmp_path), "train", _log(1, 1).select(["user_id"]).slice(0, 0))
    write_split(str(tmp_path), "test", _log(2, 1))
    columns, optional = ("user_id",), ("timestamp",)
    found = read_log(str(tmp_path), ["train", "test"], columns, optional=optional)
    assert found.column("timestamp").to_pylist() == [0, 1]
    alone = read_log(str(tmp_path), ["train"], columns, optional=optional)
    assert (alone.num_rows, alone.column_names) == (0, ["user_id"])


def test_a_row_group_is_held_at_a_time(uri: str) -> None:
    sizes = [table.num_rows for table in iterate_log(uri, ["train"], COLUMNS)]
    assert sizes == [500, 500, 500]


def test_a_missing_column_is_named_with_its_file(uri: str) -> None:
    with pytest.raises(ArtifactError, match=r"data-00000.*Received: no item_id"):
        read_log(uri, ["train"], (*COLUMNS, "item_id"))


def test_no_file_is_an_error_with_the_place(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"must hold a file of the splits train"):
        read_log(str(tmp_path), ["train"], COLUMNS)
