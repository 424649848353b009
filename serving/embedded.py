"""A model server as a child process: for tests, validation steps and notebooks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from core import signatures
from core.errors import ServingError

_REPOSITORY = Path(__file__).resolve().parent.parent


class EmbeddedServer:
    """Serves a folder while the `with` block runs; another block starts it again.

    >>> with EmbeddedServer("var/demo/serving/souk") as server:
    ...     client = SoukClient(server.grpc_target)
    """

    def __init__(
        self,
        model_base_path: str | Path,
        *,
        model_name: str = signatures.MODEL_NAME,
        start_timeout_s: float = 300.0,
        flags: dict[str, str | int | float] | None = None,
        module: str | None = None,
    ) -> None:
        """Args:
        model_base_path: the folder of numeric version folders.
        module: what to run in place of `serving.model_server`, with its flags.
        flags: further settings of `ServerConfig`, by name.
        """
        self.model_name = model_name
        self._module = module or "serving.model_server"
        self._start_timeout_s = start_timeout_s
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._flags: dict[str, str | int | float] = {
            "model_base_path": str(Path(model_base_path).absolute()),
            "model_name": model_name,
            "port": -1,
            "rest_api_port": -1,
            "stop_at_end_of_input": "true",
            **(flags or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.rest_api_port = 0

    @property
    def grpc_target(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def rest_url(self) -> str:
        return f"http://127.0.0.1:{self.rest_api_port}"

    @property
    def log(self) -> str:
        """What the server has written so far."""
        if self._folder is None:
            return ""
        return (Path(self._folder.name) / "log").read_text(errors="replace")

    def start(self) -> EmbeddedServer:
        """Starts the server and returns when a version is in service.

        Raises:
          ServingError: it ended, or was not ready in time; holds the end of its log.
        """
        if self._folder is None:  # a `with` block before took its own away
            self._folder = tempfile.TemporaryDirectory(prefix="souk-server-")
        ready_file = Path(self._folder.name) / "ready.json"
        given = {"ready_file": str(ready_file), **self._flags}
        flags = [f"--{name}={value}" for name, value in given.items()]
        path = os.pathsep.join(
            [str(_REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
        )
        ready_file.unlink(missing_ok=True)  # of a server before
        with (Path(self._folder.name) / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self._module, *flags],
                stdin=subprocess.PIPE,  # its end tells the server of ours
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": path},
            )
        deadline = time.monotonic() + self._start_timeout_s
        while not ready_file.exists():
            if self.process.poll() is not None:
                self._fail(f"ended with code {self.process.returncode}")
            if time.monotonic() > deadline:
                self._fail(f"had no version ready after {self._start_timeout_s:.0f} s")
            time.sleep(0.02)
        ports = json.loads(ready_file.read_text())
        self.port, self.rest_api_port = ports["port"], ports["rest_api_port"]
        return self

    def _fail(self, what: str) -> None:
        tail = "\n".join(self.log.splitlines()[-20:])
        self.stop()
        raise ServingError(f"The model server {what}. The end of its log:\n{tail}")

    def stop(self, timeout_s: float = 20.0) -> int:
        """Ends the server (SIGTERM, at last SIGKILL); returns its exit code."""
        process = self.process
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdin is not None:
            process.stdin.close()
        return process.returncode

    def __enter__(self) -> EmbeddedServer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
