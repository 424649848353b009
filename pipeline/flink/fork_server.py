"""Beam workers in milliseconds: forks of one process that has imported everything.

A worker lives for one job, and importing Beam, TFX and TensorFlow takes it longer than
most jobs of a small shop. On one machine the run starts this process beside the job
server; `souk-beam-worker` then asks it for a fork and stays as the fork's handle: when
the runner ends the handle, the fork sees its socket close and ends too.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import SoukError
from pipeline.flink import processes

ADDRESS_VARIABLE = "SOUK_FORK_SERVER"
# What the steps' functions import; of these nothing starts a thread or opens a channel.
MODULES = (
    "apache_beam.runners.worker.sdk_worker_main",
    "tensorflow",
    "tensorflow_data_validation",
    "tensorflow_model_analysis",
    "tensorflow_transform.beam",
    "tfx.components.statistics_gen.executor",
    "tfx.components.transform.executor",
    "tfx.components.evaluator.executor",
    "components.ingest.executor",
    "components.clean.executor",
    "components.join_history.executor",
    "components.text_encoder.executor",
    "trainer.transform_module",
)
_START_TIMEOUT_S = 180.0


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Path]:
    """Starts the process; yields its socket, which a worker may use before it is ready.

    Args:
      folder: for its log. The socket lies in it too where its path is short enough.
    """
    with processes.short_folder(folder) as place:
        path = place / "fork_server"
        command = [sys.executable, "-m", __name__, str(path)]
        with processes.process(command, folder / "fork_server.log"):
            yield path


def serve(path: Path, modules: Sequence[str] = MODULES) -> None:
    """Imports the modules, then forks once per request, until it is killed."""
    for name in modules:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries the forks
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        while True:
            handle, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _become_worker(handle)
            handle.close()


def ask(address: Path, arguments: Sequence[str]) -> None:
    """Has a worker forked and returns when it has ended.

    Raises:
      SoukError: nothing listens at the address within three minutes.
    """
    with socket.socket(socket.AF_UNIX) as handle:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                handle.connect(str(address))
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    raise SoukError(
                        f"The fork server must listen at `{address}`. Received: {error}"
                        ". Its log lies beside the job server's."
                    ) from error
                time.sleep(0.1)
        handle.sendall(json.dumps(list(arguments)).encode() + b"\n")
        while handle.recv(1):
            pass


def _become_worker(handle: socket.socket) -> None:
    from pipeline.flink import worker

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = 1
    try:
        request = handle.makefile().readline()
        threading.Thread(target=_end_with, args=[handle], daemon=True).start()
        worker.work(json.loads(request))
        status = 0
    finally:
        os._exit(status)  # never back into the server's loop


def _end_with(handle: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while handle.recv(1):
            pass
    os._exit(0)


if __name__ == "__main__":
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    serve(Path(sys.argv[1]))
