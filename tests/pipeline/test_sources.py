"""The shop's tables in its home: whole or not at all, and known again."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

import shops
from core.layout import HomeLayout
from pipeline.sources import ensure_tables


@pytest.fixture()
def layout(tmp_path: Path) -> HomeLayout:
    return HomeLayout(tmp_path, "tiny")


def ensure(layout: HomeLayout) -> Any:
    return ensure_tables(layout, "tiny", data=None, seed=0)


def written(layout: HomeLayout) -> int:
    return (layout.tables / "items.parquet").stat().st_mtime_ns


def test_a_disk_that_is_full_at_the_last_file_leaves_nothing(
    layout: HomeLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_text

    def full(path: Path, *args: Any, **kwargs: Any) -> int:
        if path.name != "source.json":
            return write(path, *args, **kwargs)
        path.touch()  # the file is there, its content found no room
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full)
        with pytest.raises(OSError, match="No space left"):
            ensure(layout)
    assert list(layout.root.iterdir()) == []

    ensure(layout)  # there is room again
    assert shops.read_source(layout.tables)["shop"] == "tiny"


@pytest.mark.parametrize("content", [b"", b'{"shop": "ti', b"\xff\xfe", None])
def test_a_stamp_that_cannot_be_read_matches_nothing(
    layout: HomeLayout, content: bytes | None
) -> None:
    expected, first = ensure(layout), written(layout)
    assert ensure(layout) == expected and written(layout) == first  # known again

    stamp = layout.tables / "source.json"
    if content is None:
        stamp.unlink()
    else:
        stamp.write_bytes(content)
    assert ensure(layout) == expected
    assert written(layout) != first
