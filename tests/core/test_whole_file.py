"""What a reader finds at the path, while it is written and after a failure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.whole_file import whole_file


def test_a_reader_finds_the_old_file_until_the_new_one_is_complete(
    tmp_path: Path,
) -> None:
    path = tmp_path / "folder" / "words.txt"
    with whole_file(path) as hidden:
        hidden.write_text("old")
        assert not path.exists()
    with whole_file(path) as hidden:
        hidden.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [each.name for each in path.parent.iterdir()] == ["words.txt"]


def test_a_writer_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("old")
    with pytest.raises(OSError, match="No space left"), whole_file(path) as hidden:
        hidden.write_text("hal")
        raise OSError("No space left on device")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_writers_that_go_by_the_suffix_find_it(tmp_path: Path) -> None:
    path = tmp_path / "part.npz"
    with whole_file(path) as hidden:
        np.savez(hidden, rows=np.arange(3))
    with np.load(path) as file:
        assert file["rows"].tolist() == [0, 1, 2]
