"""Where artifacts lie below `tfx/`, and which of the folders there no run needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

REFIT = "refit"  # the root of the shorter DAG's steps, in the other's own
_SYSTEM = ".system"


def place_of(uri: str) -> str:
    """`NODE/KEY/EXECUTION` of an artifact, `refit/` before it for a refit's.

    A home may have been moved: only what follows `tfx/` still says where it lies.

    Args:
      uri: as ML Metadata has it; "" comes back where it is not below a `tfx/`.
    """
    parts = uri.rpartition("/tfx/")[2].split("/") if "/tfx/" in uri else []
    depth = 4 if parts[:1] == [REFIT] else 3
    return "/".join(parts[:depth]) if len(parts) >= depth else ""


def unneeded(root: Path, needed: frozenset[str]) -> Iterator[tuple[str, Path]]:
    """The step and the folder of every output that is not needed.

    With them what TFX itself keeps of an execution while that runs, of every one: the
    caller holds the home, so that none does. What is laid out otherwise is left alone.

    Args:
      root: the folder `tfx`.
      needed: places of artifacts.
    """
    for node in _folders(root):
        inner = _folders(node) if node.name == REFIT else [node]
        for step in inner:
            name = step.relative_to(root).as_posix()
            for key in _folders(step):
                found = _folders(key)
                if key.name == _SYSTEM:
                    found = [folder for kind in found for folder in _folders(kind)]
                for folder in found:
                    place = folder.relative_to(root).as_posix()
                    if key.name == _SYSTEM or (
                        folder.name.isdigit() and place not in needed
                    ):
                        yield name, folder


def _folders(parent: Path) -> list[Path]:
    """Those in a folder, by name; a link's target is somebody else's."""
    if not parent.is_dir():
        return []
    inside = (path for path in parent.iterdir() if not path.is_symlink())
    return sorted(path for path in inside if path.is_dir())
