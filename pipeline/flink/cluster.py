"""A session cluster on loopback: one JobManager, some TaskManagers, plain JVMs."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import SoukError
from pipeline.flink import java, processes, settings

_JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
_TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
_REGISTER_TIMEOUT_S = 90.0


class SessionCluster:
    """What runs: the JobManager's REST address and the TaskManagers' processes."""

    def __init__(
        self,
        jar: Path,
        folder: Path,
        options: settings.FlinkSettings,
        stack: contextlib.ExitStack,
    ):
        """Starts the JobManager; `running` is what a caller wants."""
        self._jar = jar
        self._folder = folder
        self._options = options
        self._stack = stack
        self._port = processes.free_port()
        self.task_managers: list[subprocess.Popen[bytes]] = []
        folder.mkdir(parents=True, exist_ok=True)
        settings.write(folder, options, processes.free_port(), self._port)
        manager = self._start(_JOB_MANAGER, "job_manager.log", 128)
        processes.await_port(manager, self._port, folder / "job_manager.log")

    @property
    def master(self) -> str:
        """HOST:PORT for `--flink-master`."""
        return f"localhost:{self._port}"

    def add_task_manager(self) -> None:
        """Starts one more TaskManager."""
        log = f"task_manager_{len(self.task_managers)}.log"
        started = self._start(_TASK_MANAGER, log, self._options.network_mb + 256)
        self.task_managers.append(started)

    def await_slots(self, count: int) -> None:
        """Waits until `count` task slots are registered.

        Raises:
          SoukError: the time is over, or a TaskManager ended.
        """
        deadline = time.monotonic() + _REGISTER_TIMEOUT_S
        running = [p for p in self.task_managers if p.poll() is None]
        while time.monotonic() < deadline and all(p.poll() is None for p in running):
            with contextlib.suppress(OSError):
                if self.ask("/overview")["slots-total"] >= count:
                    return
            time.sleep(0.2)
        raise SoukError(
            f"{count} task slots must register within {_REGISTER_TIMEOUT_S:.0f} s. "
            f"Received: {self.ask('/overview')['slots-total']}. The logs in "
            f"`{self._folder}` tell why."
        )

    def ask(self, path: str, method: str = "GET") -> dict[str, Any]:
        """What the JobManager's REST API answers."""
        url = f"http://{self.master}{path}"
        request = urllib.request.Request(url, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return dict(json.loads(answer.read() or b"{}"))

    def _start(self, entry: str, log: str, direct_mb: int) -> subprocess.Popen[bytes]:
        command = [
            java.find_java(),
            *java.OPEN_MODULES,
            *java.memory_options(self._options.heap_mb, direct_mb),
            *("-cp", str(self._jar), entry),
            *("--configDir", str(self._folder)),
        ]
        started = processes.process(command, self._folder / log)
        return self._stack.enter_context(started)


@contextlib.contextmanager
def running(
    jar: Path,
    folder: Path,
    *,
    task_managers: int = 2,
    options: settings.FlinkSettings | None = None,
) -> Iterator[SessionCluster]:
    """A cluster whose slots are registered; every JVM of it is gone afterwards."""
    options = options or settings.FlinkSettings()
    with contextlib.ExitStack() as stack:
        cluster = SessionCluster(jar, folder, options, stack)
        for _ in range(task_managers):
            cluster.add_task_manager()
        cluster.await_slots(task_managers * options.slots)
        yield cluster
