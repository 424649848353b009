"""One shop's home: a lock, so that two runs cannot write the same folders."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator

from core.errors import ConfigError
from core.layout import HomeLayout


@contextlib.contextmanager
def locked(layout: HomeLayout) -> Iterator[None]:
    """Holds the home for one run; the system releases it if the process dies.

    Raises:
      ConfigError: another run holds it, or TFX takes its path for a pattern.
    """
    if "[" in str(layout.root):  # what * and ? stand for matches them, too
        raise ConfigError(
            "`--home` and the shop's name must have no [, which TFX reads as a pattern "
            f"of files. Received: {str(layout.root)!r}. Choose another --home."
        )
    layout.root.mkdir(parents=True, exist_ok=True)
    path = layout.root / ".lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise ConfigError(
                f"Only one run at a time may use `{layout.root}`. Process "
                f"{lock.read().strip() or 'unknown'} is using it. Wait for it, or give "
                "this run another --home."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
