"""Which versions of a model lie in a folder, and which of them to serve."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from core.config.base import Config

SAVED_MODEL_FILE = "saved_model.pb"
MAX_VERSION = 2**63 - 1  # TensorFlow Serving counts in int64


@dataclasses.dataclass(frozen=True, kw_only=True)
class VersionPolicy(Config):
    """Latest N (default 1), or the named versions, or all."""

    latest: int = 1
    specific: tuple[int, ...] = ()
    serve_all: bool = False

    def __post_init__(self) -> None:
        self.require(self.latest >= 1, "latest", ">= 1")

    def choose(self, versions: Iterable[int]) -> list[int]:
        """The versions to serve, oldest first."""
        ordered = sorted(versions)
        if self.specific:
            return [v for v in ordered if v in self.specific]
        return ordered if self.serve_all else ordered[-self.latest :]


def find_versions(base_path: Path) -> dict[int, Path]:
    """Version number -> folder; only numeric folders that hold a saved_model.pb.

    The file is written last by a push, so a folder without it is not complete.
    """
    try:
        children = list(base_path.iterdir())
    except OSError:
        return {}
    return {
        int(child.name): child
        for child in children
        if is_version(child.name) and (child / SAVED_MODEL_FILE).is_file()
    }


def is_version(text: str) -> bool:
    """Whether a text is the number of a version."""
    is_short_number = text.isascii() and text.isdigit() and len(text) <= 19
    return is_short_number and int(text) <= MAX_VERSION


def fingerprint(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes when any file of a version changes; decides whether to try again."""
    found = []
    for file in sorted(path.rglob("*")):
        try:
            stat = file.stat()
        except OSError:
            continue
        found.append((str(file), stat.st_size, stat.st_mtime_ns))
    return tuple(found)
