"""Only complete, numbered folders count, and the policy picks from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigError
from serving.model_server.versions import VersionPolicy, find_versions, fingerprint


def make(base: Path, name: str, *, complete: bool = True) -> Path:
    folder = base / name
    folder.mkdir(parents=True)
    if complete:
        (folder / "saved_model.pb").write_bytes(b"x")
    return folder


def test_only_numeric_folders_with_a_saved_model_are_versions(tmp_path: Path) -> None:
    for name in ("1", "20261123", "latest", ".partial-3", "4.tmp", "-5"):
        make(tmp_path, name)
    make(tmp_path, "7", complete=False)
    (tmp_path / "8").write_text("a file")

    assert sorted(find_versions(tmp_path)) == [1, 20261123]


def test_a_number_beyond_int64_is_no_version(tmp_path: Path) -> None:
    """gRPC's answers could not name it."""
    for name in (str(2**63 - 1), str(2**63), "20261130161500123456"):
        make(tmp_path, name)

    assert list(find_versions(tmp_path)) == [2**63 - 1]


def test_a_folder_that_is_not_there_has_no_versions(tmp_path: Path) -> None:
    assert find_versions(tmp_path / "absent") == {}


def test_policies() -> None:
    versions = [10, 2, 3]

    assert VersionPolicy().choose(versions) == [10]
    assert VersionPolicy(latest=2).choose(versions) == [3, 10]
    assert VersionPolicy(specific=(2, 99)).choose(versions) == [2]
    assert VersionPolicy(serve_all=True).choose(versions) == [2, 3, 10]
    with pytest.raises(ConfigError, match="latest"):
        VersionPolicy(latest=0)


def test_a_fingerprint_changes_with_the_files(tmp_path: Path) -> None:
    folder = make(tmp_path, "1")
    before = fingerprint(folder)
    (folder / "variables").mkdir()
    (folder / "variables" / "variables.index").write_bytes(b"y")

    assert fingerprint(folder) != before
