"""Work in a process of its own: a fork, so that nothing is imported a second time.

A fork keeps the memory of its parent and none of its threads. It is safe only while the
parent has none that matter: before TensorFlow's runtime, gRPC or Beam have started any,
which importing them does not.
"""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import pickle
import resource
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from core.errors import ArtifactError, SoukError, souk_error_in

_CONTEXT = multiprocessing.get_context("fork")
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_RECORD, _DONE, _FAILED = "record", "done", "failed"


class WorkProcess:
    """Runs `work` elsewhere; its records of the `souk` logger arrive here.

    Args:
      name: of the work; the attribute `souk_node` of its records.
      work: called in the new process; its result has to be picklable.
    """

    def __init__(self, name: str, work: Callable[[], Any]) -> None:
        self.name = name
        self.connection, sender = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(
            target=_work, args=(os.getpid(), sender, name, work), name=name
        )
        self._process.start()
        sender.close()  # so that the child's end is the only one

    def read(self) -> tuple[bool, Any]:
        """Handles what has arrived; returns whether the work has ended, and its result.

        Raises:
          SoukError: the work raised it, or its process was killed.
          RuntimeError: the work raised something else that does not travel.
          Exception: the work raised this.
        """
        while self.connection.poll():
            try:
                kind, content = self.connection.recv()
            except EOFError:
                raise self._killed() from None
            if kind == _RECORD:
                record = logging.makeLogRecord(content)
                logging.getLogger(record.name).handle(record)
                continue
            self._process.join()
            self.connection.close()
            if kind == _FAILED:
                raise content
            return True, content
        return False, None

    def kill(self) -> None:
        """Ends the process at once, if it is still there."""
        self._process.kill()
        self._process.join()

    def _killed(self) -> SoukError:
        self._process.join()
        code = self._process.exitcode or 0
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"status {code}"
        return ArtifactError(
            f"The process of `{self.name}` must end with a result. Received: {how}. "
            "SIGKILL mostly means that the machine's memory was used up: give it more, "
            "or run one step at a time (`--jobs 1`)."
        )


class _Forward(logging.Handler):
    """Sends records to the parent, which shows them."""

    def __init__(self, sender: Connection, name: str) -> None:
        super().__init__(logging.INFO)
        self._sender, self._name = sender, name

    def emit(self, record: logging.LogRecord) -> None:
        content = {**record.__dict__, "msg": record.getMessage(), "args": None}
        content.update(exc_info=None, souk_node=self._name)
        self.send((_RECORD, content))

    def send(self, message: tuple[str, Any]) -> None:
        """One message at a time, whatever threads there are."""
        self.acquire()
        try:
            self._sender.send(message)
        finally:
            self.release()


def _work(
    parent: int, sender: Connection, name: str, work: Callable[[], Any]
) -> NoReturn:
    _die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is for the parent to tell
    logger = logging.getLogger("souk")
    forward = _Forward(sender, name)
    logger.handlers = [forward]
    logger.propagate = False  # the parent writes them into the log, once
    try:
        message = (_DONE, work())
    except Exception as error:
        logging.getLogger(__name__).exception("%s stopped.", name)
        message = (_FAILED, _that_travels(error))
    _log_usage(name)
    forward.send(message)
    sys.stdout.flush()
    logging.shutdown()
    os._exit(0)  # models and pipelines need no orderly end: the process is all of them


def _log_usage(name: str) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    logging.getLogger(__name__).info(
        "%s: %.1f s of processor time, at most %d MiB (what it shares with others too)",
        name,
        used.ru_utime + used.ru_stime,
        used.ru_maxrss // 1024,
    )


def _die_with(parent: int) -> None:
    """The kernel kills this process when its parent ends, however that happens."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before that call
        os._exit(1)


def _that_travels(error: Exception) -> Exception:
    """The error that a user is to see, as something that can be pickled."""
    shown = souk_error_in(error) or error
    try:
        pickle.loads(pickle.dumps(shown))
    except Exception:
        return RuntimeError(f"{type(shown).__name__}: {shown}")
    return shown
