"""Forks: results, errors, records and ends arrive where they are waited for."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pytest

from core.errors import ArtifactError, InputDataError
from core.progress import say
from pipeline.local.process import WorkProcess


def result_of(process: WorkProcess) -> Any:
    while True:
        assert wait([process.connection], 60), "nothing within a minute"
        ended, result = process.read()
        if ended:
            return result


def test_the_result_comes_from_another_process() -> None:
    child = result_of(WorkProcess("Step", os.getpid))
    assert child != os.getpid()


def test_records_arrive_with_the_name_of_the_work(caplog) -> None:
    def work() -> str:
        say("Step", "10 rows")
        return "done"

    with caplog.at_level(logging.INFO, "souk"):
        assert result_of(WorkProcess("Node", work)) == "done"
    (record,) = [r for r in caplog.records if hasattr(r, "souk_step")]
    assert (record.note, record.souk_node) == ("10 rows", "Node")


def test_an_error_of_ours_comes_out_of_what_was_wrapped_around_it() -> None:
    def work() -> None:
        try:
            raise InputDataError("Row 7 of `a.csv`.")
        except InputDataError as error:
            raise RuntimeError("Beam's own words") from error

    with pytest.raises(InputDataError, match=r"^Row 7 of `a.csv`\.$"):
        result_of(WorkProcess("Step", work))


def test_an_error_that_cannot_travel_leaves_its_words() -> None:
    class Local(Exception):
        """Of a class that no other process can import."""

    def work() -> None:
        raise Local("what happened")

    with pytest.raises(RuntimeError, match="Local: what happened"):
        result_of(WorkProcess("Step", work))


def test_a_killed_process_is_told_from_a_failed_one() -> None:
    def work() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(ArtifactError, match=r"`Step`.*signal SIGKILL.*--jobs 1"):
        result_of(WorkProcess("Step", work))


def test_work_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    script = f"""
import os, pathlib, time
from pipeline.local.process import WorkProcess

def work():
    pathlib.Path({str(alive)!r}).write_text(str(os.getpid()))
    time.sleep(600)

process = WorkProcess("Step", work)
process.connection.poll(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", script])
    try:
        child = int(_content(alive))
        assert _is_there(child)  # control
        parent.kill()
        parent.wait(timeout=30)
        deadline = time.monotonic() + 30
        while _is_there(child) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not _is_there(child)
    finally:
        parent.kill()
        parent.wait(timeout=30)


def test_what_a_run_imports_starts_nothing_that_a_fork_would_lose(
    tmp_path: Path,
) -> None:
    script = f"""
import threading
from pathlib import Path
from tensorflow.python.eager import context
from tfx.dsl.compiler.compiler import Compiler
import shops
from core import presets
from core.layout import HomeLayout
from pipeline import run, pages, sources
from pipeline.create_pipeline import create_pipeline
from pipeline.local import dag

layout = HomeLayout(Path({str(tmp_path)!r}), "tiny")
shop, splits = sources.ensure_tables(layout, "tiny", data=None, seed=0)
config = presets.for_shop(shop, splits)
dag.launchers(Compiler().compile(create_pipeline(config, layout)))
assert threading.active_count() == 1, threading.enumerate()
assert context.context_safe() is None or not context.context()._initialized
assert dag.may_fork()
print("nothing started")
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout.strip() == "nothing started", done.stderr


def _content(path: Path, timeout_s: float = 60) -> str:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if path.is_file() and (text := path.read_text()):
            return text
        time.sleep(0.02)
    raise AssertionError(f"nothing in {path}")


def _is_there(pid: int) -> bool:
    """Whether the process runs; what only waits to be reaped does not."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except OSError:
        return False
