"""Which revision of souk a bundle says it was made by."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from components.bundle.metadata import git_revision


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit: it keeps `ours.py` and ignores `venv/`."""
    (tmp_path / "ours.py").touch()
    (tmp_path / ".gitignore").write_text("venv/\n", "utf-8")
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "installed.py").touch()
    _git(tmp_path, "init", "--quiet")
    _git(tmp_path, "add", ".")
    return tmp_path


def _git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def test_a_checkout_tells_its_revision_and_that_it_was_changed(
    repository: Path,
) -> None:
    _git(repository, "commit", "--quiet", "--message", "one")
    revision = _git(repository, "rev-parse", "HEAD")
    assert git_revision(repository / "ours.py") == revision
    (repository / "new.py").touch()
    assert git_revision(repository / "ours.py") == f"{revision}+changes"


def test_a_package_installed_below_another_repository_has_none(
    repository: Path,
) -> None:
    _git(repository, "commit", "--quiet", "--message", "a shop's own work")
    assert git_revision(repository / "venv" / "installed.py") == ""


def test_a_repository_without_a_commit_has_none(repository: Path) -> None:
    assert git_revision(repository / "ours.py") == ""
