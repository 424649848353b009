"""Runs of the tiny shop from outside, as a user starts them."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from core.layout import HomeLayout

SOUK = (sys.executable, "-m", "pipeline.cli")
_LINE = re.compile(r"^\s*\d+/\d+ (\S+)\s+(cached|[\d.]+ s)", re.M)


def souk(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """`souk ARGUMENTS --home HOME`, at most twenty minutes."""
    return subprocess.run(
        [*SOUK, *arguments, "--home", str(home)],
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )


def components(output: str) -> dict[str, bool]:
    """Component ids in order of their ends, and whether each came from the cache."""
    return {name: took == "cached" for name, took in _LINE.findall(output)}


def assert_order(output: str, walks: list[str]) -> None:
    """The components of each walk (ids, spaces between) ended in the walk's order.

    Of two steps that run at once either may end first: no walk names both.
    """
    ended = list(components(output))
    for walk in walks:
        places = [ended.index(name) for name in walk.split()]
        assert places == sorted(places), walk


def kill_in(component: str, layout: HomeLayout, *, timeout_s: float = 800) -> None:
    """Starts a run and sends SIGKILL as soon as the log says `component` is running."""
    seen = set(layout.logs.glob("run-*.log"))
    process = subprocess.Popen(
        [*SOUK, "run", layout.shop, "--home", str(layout.home)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wanted = f"Component {component} is running."
    deadline = time.monotonic() + timeout_s
    try:
        while time.monotonic() < deadline:
            logs = set(layout.logs.glob("run-*.log")) - seen
            if any(wanted in log.read_text("utf-8", "replace") for log in logs):
                time.sleep(0.3)  # inside the component's own work
                return
            if process.poll() is not None:
                raise AssertionError(f"the run ended before {component} ran")
            time.sleep(0.05)
        raise AssertionError(f"{component} did not run within {timeout_s} s")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)


def fingerprint(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, by relative path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def versions(layout: HomeLayout) -> list[Path]:
    """Folders of the pushed versions, oldest first."""
    return sorted(
        (p for p in layout.serving.glob("*") if p.name.isdigit()),
        key=lambda p: int(p.name),
    )
