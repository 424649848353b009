from __future__ import annotations

from pathlib import Path

from core.disk import bytes_below


def test_files_at_every_depth_count_and_folders_do_not(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "one").write_bytes(b"1234")
    (tmp_path / "a" / "b" / "two").write_bytes(b"123")
    assert bytes_below(tmp_path) == 7
    assert bytes_below(tmp_path / "absent") == 0
