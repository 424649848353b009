from __future__ import annotations

from pathlib import Path

import pytest

import shops
from core.errors import InputDataError
from shops import Shop, read_tables, write_tables


@pytest.fixture(scope="module")
def tiny() -> Shop:
    return shops.load("tiny")


def test_written_shop_reads_back_equal(tiny: Shop, tmp_path: Path) -> None:
    read = read_tables(write_tables(tiny, tmp_path / "a" / "tables"))

    assert read.tables == tiny.tables
    assert (read.config, read.splits) == (tiny.config, tiny.splits)
    assert read.world is None


def test_writing_replaces_what_was_there_and_leaves_nothing_else(
    tiny: Shop, tmp_path: Path
) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "old.txt").write_text("old")

    write_tables(tiny, folder)

    assert [p.name for p in tmp_path.iterdir()] == ["tables"]
    assert sorted(p.name for p in folder.iterdir()) == [
        "events.parquet",
        "items.parquet",
        "judgments.parquet",
        "rejected.parquet",
        "shop.json",
    ]


def test_failed_write_leaves_the_old_folder(
    tiny: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_tables(tiny, tmp_path / "tables")

    def full(*args: object, **kwargs: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("shops.storage.pq.write_table", full)
    with pytest.raises(OSError, match="no space"):
        write_tables(tiny, folder)

    assert read_tables(folder).tables == tiny.tables
    assert [p.name for p in tmp_path.iterdir()] == ["tables"]


def test_incomplete_folder_is_named(tiny: Shop, tmp_path: Path) -> None:
    folder = write_tables(tiny, tmp_path / "tables")
    (folder / "events.parquet").unlink()

    with pytest.raises(InputDataError, match=r"events.parquet.*Delete the folder"):
        read_tables(folder)
