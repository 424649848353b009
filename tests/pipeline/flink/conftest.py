"""The job server's jar, or the reason why there is none; a running Flink."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import ConfigError
from pipeline import engines
from pipeline.engines import BeamEngine
from pipeline.flink import job_server

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def jar() -> Path:
    """Kept in `var/.cache`, as `souk run` keeps it: built once per clone."""
    try:
        return job_server.ensure_jar(engines.jar_cache(ROOT / "var"))
    except ConfigError as error:
        pytest.skip(f"Flink cannot be had here: {error}")


@pytest.fixture(scope="session")
def home(jar: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of the tests' own, with the jar in its cache."""
    folder = tmp_path_factory.mktemp("home")
    cache = engines.jar_cache(folder)
    cache.mkdir(parents=True)
    (cache / job_server.JAR_NAME).symlink_to(jar.resolve())
    return folder


@pytest.fixture(scope="module")
def flink(home: Path) -> Iterator[list[str]]:
    """Beam's options for Flink on this machine with two Python workers."""
    with engines.started(BeamEngine(name="flink", num_workers=2), home) as beam_args:
        yield beam_args


def worker_processes(home: Path) -> set[int]:
    """Process ids of all Beam workers that the runs of a home have had."""
    logs = (engines.jar_cache(home) / "runs").glob("*/fork_server.log")
    lines = "".join(log.read_text("utf-8", "replace") for log in logs).splitlines()
    return {
        int(line.rpartition(" ")[2].rstrip("."))
        for line in lines
        if line.startswith("Beam worker ")
    }
