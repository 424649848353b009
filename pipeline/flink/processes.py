"""Processes that do not outlive the run, and what waiting for them takes."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import SoukError

_START_TIMEOUT_S = 90.0
_MAX_FOLDER_PATH = 80  # bytes; the system's bound of a socket's path is 108
# A parent that died before the request to end with it was made is never missed by
# the kernel; the shell, which starts after it, looks whether the parent is still ours.
_WHILE_PARENT_LIVES = 'test "$PPID" = "$0" && exec "$@"'


@contextlib.contextmanager
def process(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is gone after the block, or with us; it writes to `log`.

    With us means with the thread that enters the block: Linux counts those.
    """
    prefix: list[str] = []
    if setpriv := shutil.which("setpriv"):  # util-linux; ends it when we are killed
        shell = ["sh", "-c", _WHILE_PARENT_LIVES, str(os.getpid())]
        prefix = [setpriv, "--pdeathsig", "KILL", *shell]
    with log.open("ab") as output:
        started = subprocess.Popen(
            [*prefix, *command],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches us, and we stop it
        )
    try:
        yield started
    finally:
        _stop(started)


def await_port(started: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Waits until something listens on the port.

    Raises:
      SoukError: the process ended, or the time is over.
    """
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline and started.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("localhost", port), timeout=1).close()
            return
        time.sleep(0.1)
    raise SoukError(
        f"Flink must listen on port {port} within {_START_TIMEOUT_S:.0f} s. Received: "
        f"exit status {started.poll()}. `{log}` tells why."
    )


def free_port() -> int:
    """A port of the loopback device that nothing listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def short_folder(folder: Path) -> Iterator[Path]:
    """`folder`, or a temporary one where a socket's path in it would be too long."""
    folder.mkdir(parents=True, exist_ok=True)
    if len(str(folder.resolve()).encode()) < _MAX_FOLDER_PATH:
        with tempfile.TemporaryDirectory(dir=folder.resolve()) as place:
            yield Path(place)
    else:
        with tempfile.TemporaryDirectory() as place:
            yield Path(place)


def _stop(started: subprocess.Popen[bytes]) -> None:
    if started.poll() is None:
        started.terminate()
        try:
            started.wait(timeout=10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait(timeout=10)
