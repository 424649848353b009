"""Copies a bundle into the served folder so that no reader ever sees half of it."""

from __future__ import annotations

import contextlib
import fcntl
import filecmp
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from components.bundle.metadata import METADATA_FILE
from components.comparable import bundle_facts
from core.errors import ArtifactError

SAVED_MODEL = "saved_model.pb"
_PUSHING = ".pushing-"  # hidden and not a number, so that model servers pass it by
_LOCK = ".push.lock"


def push(
    model_dir: Path,
    serving_dir: Path,
    *,
    facts: dict[str, Any],
    files: Sequence[Path] = (),
) -> Path:
    """The folder of the new version, `serving_dir/<UTC second>`.

    The bundle is copied into a hidden folder beside the versions, written through to
    the disk, and renamed in one step. A process killed at any point leaves the versions
    as they were, and at most a hidden folder, which the next push removes. Pushing the
    same bundle again (`facts["model_uri"]`, the same files) returns the version that
    holds it already.

    Args:
      model_dir: the SavedModel's folder.
      serving_dir: what the model server watches; made where missing.
      facts: added to the pushed `souk.json`: metrics, model_uri and so on.
      files: copied beside it.

    Raises:
      ArtifactError: `model_dir` holds no SavedModel.
    """
    if not (model_dir / SAVED_MODEL).is_file():
        raise ArtifactError(
            f"`{model_dir}` must hold a {SAVED_MODEL}. Received: none. "
            "Run the Bundle step again."
        )
    serving_dir.mkdir(parents=True, exist_ok=True)
    with _locked(serving_dir):
        _remove_debris(serving_dir)
        newest = newest_version(serving_dir)
        if newest is not None and _holds(newest, model_dir, facts):
            return newest
        last = int(newest.name) if newest is not None else 0
        version = str(max(int(time.time()), last + 1))
        hidden = serving_dir / f"{_PUSHING}{version}"
        _copy_tree(model_dir, hidden)
        for path in files:
            _copy_file(path, hidden / path.name)
        _add_facts(hidden, facts)
        _sync_folders(hidden)
        os.rename(hidden, serving_dir / version)
        _sync(serving_dir)
    return serving_dir / version


def newest_version(serving_dir: Path, holding: str = "") -> Path | None:
    """Folder of the newest complete version, None where nothing was pushed.

    Args:
      serving_dir: what the model server watches.
      holding: only versions with a file of this name; "": all.
    """
    found = [path for path in versions(serving_dir) if (path / holding).exists()]
    return found[-1] if found else None


def what_stays(version: str | None) -> str:
    """What is served where nothing was pushed.

    Args:
      version: the newest one before; None where there was none.
    """
    return f"version {version} stays served" if version else "no version is served yet"


def versions(serving_dir: Path) -> list[Path]:
    """Folders of the complete versions, oldest first."""
    found = [
        path
        for path in serving_dir.glob("[0-9]*")
        if path.name.isdigit() and (path / SAVED_MODEL).is_file()
    ]
    return sorted(found, key=lambda path: int(path.name))


def remove_version(version: Path) -> None:
    """Takes a version away in one step, so that no reader ever sees half of it.

    Args:
      version: its folder below the served one.
    """
    with _locked(version.parent):
        hidden = version.parent / f"{_PUSHING}{version.name}"
        os.rename(version, hidden)
        shutil.rmtree(hidden)


def _holds(version: Path, model_dir: Path, facts: dict[str, Any]) -> bool:
    if "model_uri" not in facts:
        return False
    if bundle_facts(version).get("model_uri") != facts["model_uri"]:
        return False
    # After a metadata store was lost, another bundle may lie at the same place.
    files = [p.relative_to(model_dir) for p in model_dir.rglob("*") if p.is_file()]
    return all(
        (version / name).is_file()
        and filecmp.cmp(model_dir / name, version / name, shallow=False)
        for name in files
        if name != Path(METADATA_FILE)  # the pushed one has more facts
    )


def _copy_tree(source: Path, target: Path) -> None:
    for folder, _, files in os.walk(source):
        copied = target / Path(folder).relative_to(source)
        copied.mkdir()
        for name in files:
            _copy_file(Path(folder) / name, copied / name)


def _copy_file(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    _sync(target)


def _add_facts(folder: Path, facts: dict[str, Any]) -> None:
    path = folder / METADATA_FILE
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    text = json.dumps({**known, **facts}, indent=2, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    _sync(path)


def _sync_folders(root: Path) -> None:
    for folder, _, _ in os.walk(root, topdown=False):
        _sync(Path(folder))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_debris(serving_dir: Path) -> None:
    for path in serving_dir.glob(f"{_PUSHING}*"):
        shutil.rmtree(path)


@contextlib.contextmanager
def _locked(serving_dir: Path) -> Iterator[None]:
    """One push at a time, so that hidden folders of others are known to be debris."""
    with (serving_dir / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
