"""What of a home goes, and taking it away."""

from __future__ import annotations

import calendar
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from components.comparable import bundle_facts
from components.pusher.push import newest_version, remove_version, versions
from components.report.lineage import folder_size
from core.errors import ArtifactError
from core.layout import METRICS_FILE, HomeLayout
from pipeline.cleaning.places import place_of, unneeded
from pipeline.cleaning.records import Needed

SERVING, LOGS = "serving", "logs"


class Removal(NamedTuple):
    """One folder or file that goes."""

    step: str  # a node's id, `refit/` before a refit's; SERVING; LOGS
    path: Path
    size_bytes: int


def plan(
    layout: HomeLayout, needed: Needed, keep_versions: int | None = None
) -> list[Removal]:
    """Everything that goes; changes nothing.

    Args:
      layout: of a home that the caller holds.
      needed: what stays of `tfx`.
      keep_versions: so many pushed versions stay, and beyond them the one that a run
        may be compared with; None: all.
    """
    found = [
        *unneeded(layout.tfx, needed.places),
        *((LOGS, path) for path in _old_logs(layout.logs, needed.since)),
        *((SERVING, path) for path in _old_versions(layout, needed, keep_versions)),
    ]
    return [Removal(step, path, folder_size(str(path)) or 0) for step, path in found]


def remove(removals: list[Removal]) -> None:
    """Takes away what `plan` found, once ML Metadata says that it is gone.

    Raises:
      ArtifactError: the system refuses; the next call goes on from there.
    """
    for removal in removals:
        try:
            _remove(removal)
        except OSError as error:
            raise ArtifactError(
                f"`{removal.path}` must be ours to remove. Received: {error}. Give "
                "yourself the rights, and run `souk clean` again for the rest."
            ) from error


def _remove(removal: Removal) -> None:
    if removal.step == SERVING:
        remove_version(removal.path)
    elif removal.path.is_dir():
        shutil.rmtree(removal.path)
    else:
        removal.path.unlink()


def _old_logs(folder: Path, since: float) -> list[Path]:
    """Logs of runs before the one whose first step began at `since`."""
    begun = {path: _begun(path) for path in folder.glob("run-*.log")}
    oldest_kept = max((at for at in begun.values() if at <= since), default=0)
    return sorted(path for path, at in begun.items() if at < oldest_kept)


def _begun(log: Path) -> float:
    """Seconds UTC by its name; never old where that is another's."""
    try:
        return calendar.timegm(time.strptime(log.stem, "run-%Y%m%d-%H%M%S"))
    except ValueError:
        return float("inf")


def _old_versions(
    layout: HomeLayout, needed: Needed, keep: int | None
) -> Iterator[Path]:
    if keep is None:
        return
    measured = newest_version(layout.serving, METRICS_FILE)
    for version in versions(layout.serving)[:-keep]:
        if version != measured and _model_of(version) not in needed.models:
            yield version


def _model_of(version: Path) -> str:
    """The place of the bundle that it is a copy of; "" where it does not say."""
    return place_of(str(bundle_facts(version).get("model_uri", "")))
