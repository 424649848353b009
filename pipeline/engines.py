"""Starts what a run's Beam steps need and stops it again; the options for them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib import request

from core.errors import ConfigError
from pipeline import beam_options

_LOOPBACK = ("localhost", "127.0.0.1")


@dataclasses.dataclass(frozen=True, kw_only=True)
class BeamEngine:
    """Where Beam steps run, as the command line says it."""

    name: str = beam_options.DIRECT
    flink_master: str = beam_options.LOCAL_MASTER
    num_workers: int = 2  # of Flink: Python processes, and task slots in use

    def __post_init__(self) -> None:
        if self.name not in beam_options.ENGINES:
            known = ", ".join(beam_options.ENGINES)
            raise ConfigError(
                f"`--beam-engine` must be one of {known}. Received: {self.name!r}. "
                "docs/beam.md has the options of others."
            )

    @property
    def on_this_machine(self) -> bool:
        master = self.flink_master
        host = master.removeprefix("http://").split(":")[0]
        return master == beam_options.LOCAL_MASTER or host in _LOOPBACK


@contextlib.contextmanager
def started(engine: BeamEngine, home: Path) -> Iterator[list[str]]:
    """Beam's options for every step; what had to be started is stopped afterwards.

    Args:
      engine: which.
      home: of the run; the job server's jar is kept in its `.cache/flink`.

    Raises:
      ConfigError: Flink cannot be had here; the message says what is missing.
    """
    if engine.name == beam_options.DIRECT:
        yield beam_options.direct()
        return
    from pipeline.flink import fork_server, job_server, settings

    cache = jar_cache(home)
    jar = job_server.ensure_jar(cache)
    name = f"souk-{uuid.uuid4().hex[:12]}"
    sizes = settings.FlinkSettings(slots=engine.num_workers)
    with contextlib.ExitStack() as stack:
        folder = cache / "runs" / name
        folder.mkdir(parents=True)
        stack.callback(_keep_files_only, folder)
        variables = {"TF_USE_LEGACY_KERAS": "1"}
        if engine.on_this_machine:
            socket = stack.enter_context(fork_server.running(folder))
            variables[fork_server.ADDRESS_VARIABLE] = str(socket)
        server = job_server.running(jar, engine.flink_master, folder, sizes)
        endpoint = stack.enter_context(server)
        stack.callback(_cancel_jobs, engine.flink_master, name)
        yield [
            *beam_options.flink(
                engine.flink_master,
                endpoint,
                num_workers=engine.num_workers,
                variables=variables,
            ),
            f"--job_name={name}",
        ]


def jar_cache(home: Path) -> Path:
    """Where the job server's jar is kept: built once for all shops of a home."""
    return home / ".cache" / "flink"


def _keep_files_only(folder: Path) -> None:
    """Leaves the logs of a run and removes what Flink and Beam staged."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)


def _cancel_jobs(master: str, name: str) -> None:
    """Cancels what an interrupted run left on a cluster: nobody else would."""
    if master == beam_options.LOCAL_MASTER:
        return  # it ends with the job server
    base = master if master.startswith("http") else f"http://{master}"
    with contextlib.suppress(OSError, ValueError):
        with request.urlopen(f"{base}/jobs/overview", timeout=10) as answer:
            jobs = json.loads(answer.read())["jobs"]
        for job in jobs:
            if job["name"].startswith(name) and job["end-time"] < 0:
                url = f"{base}/jobs/{job['jid']}"
                cancel = request.Request(url, method="PATCH")
                request.urlopen(cancel, timeout=10).close()
