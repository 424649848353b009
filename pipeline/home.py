"""One shop's home: a lock against two runs at once, and a run that left no report."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from core.errors import ConfigError
from core.layout import HomeLayout


@contextlib.contextmanager
def locked(layout: HomeLayout) -> Iterator[None]:
    """Holds the home for one run; the system releases it if the process dies.

    Raises:
      ConfigError: another run holds it, it cannot be written, or TFX takes its path
        for a pattern.
    """
    if "[" in str(layout.root):  # what * and ? stand for matches them, too
        raise ConfigError(
            "`--home` and the shop's name must have no [, which TFX reads as a pattern "
            f"of files. Received: {str(layout.root)!r}. Choose another --home."
        )
    with contextlib.ExitStack() as held:
        with writing(layout.root):
            layout.root.mkdir(parents=True, exist_ok=True)
            lock = held.enter_context((layout.root / ".lock").open("a+"))
            _take(lock, layout.root)
        yield


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Around what writes to a folder of the home before a run has its log.

    Raises:
      ConfigError: the system did not let it.
    """
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"`--home` must be a folder that can be written. Received: `{folder}` "
            f"({error.strerror}). Choose another --home, or give this user room "
            "and rights there."
        ) from error


def run_without_report(layout: HomeLayout) -> Path | None:
    """Log of the newest run, where it began after the newest report was written."""
    logs = sorted(layout.logs.glob("run-*.log"))  # by UTC second
    if not logs or not layout.report.is_file():
        return None
    written = time.gmtime(layout.report.stat().st_mtime)
    newer = logs[-1].name > time.strftime("run-%Y%m%d-%H%M%S.log", written)
    return logs[-1] if newer else None


def _take(lock: IO[str], root: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        raise ConfigError(
            f"Only one run at a time may use `{root}`. Process "
            f"{lock.read().strip() or 'unknown'} is using it. Wait for it, or give "
            "this run another --home."
        ) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
