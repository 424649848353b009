"""Runs requests in batches: while one batch runs, the next one gathers."""

from __future__ import annotations

import asyncio
import collections
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from serving.model_server import batching
from serving.model_server.saved_model import Signature
from serving.model_server.status import Code, StatusError, from_exception

Done = Callable[[list[np.ndarray] | None, StatusError | None], None]
Observe = Callable[[int, float], None]  # rows of a batch, seconds it ran


# So many requests that wait are worth a thread beside the running ones.
HELP_AT = 8


class Task:
    """A request on its way: feeds in, outputs or an error to `done` (on the loop)."""

    __slots__ = ("cancelled", "done", "feeds", "key", "rows", "signature")

    def __init__(
        self, signature: Signature, feeds: list[np.ndarray], done: Done
    ) -> None:
        self.signature = signature
        self.feeds = feeds
        self.done = done
        self.cancelled = False
        self.rows, self.key = batching.batch_key(signature.plan, feeds)

    def joins(self, other: Task) -> bool:
        """Whether both may be in one batch."""
        alike = self.signature is other.signature and self.key == other.key
        return alike and self.rows > 0 and other.rows > 0


class BatchExecutor:
    """Threads that take everything that waits, up to `max_rows` rows of one kind.

    No timer: a lone request starts at once, and under load batches grow by themselves.
    Half of the threads do that; the others start only when `HELP_AT` requests wait, or
    one that cannot join requests of the running kinds. Two small batches side by side
    cost more than one that holds both, and they take the core that reads requests.
    """

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop,
        num_threads: int = 1,
        max_rows: int = 32,
        max_queued: int = 1000,
        observe: Observe | None = None,
    ) -> None:
        self._loop = loop
        self._max_rows = max_rows
        self._max_queued = max_queued
        self._observe = observe
        self._queue: collections.deque[Task] = collections.deque()
        self._wakeup = threading.Condition()
        self._closed = False
        self._eager = (num_threads + 1) // 2
        self._running: list[Task] = []  # the first task of each running batch
        self._threads = [
            threading.Thread(target=self._work, name=f"executor-{i}", daemon=True)
            for i in range(num_threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def queued(self) -> int:
        return len(self._queue)

    def submit(self, task: Task) -> None:
        """Queues a task.

        Raises:
          StatusError: RESOURCE_EXHAUSTED when the queue is full.
        """
        with self._wakeup:
            if self._closed:
                raise StatusError(Code.UNAVAILABLE, "The server is shutting down.")
            if len(self._queue) >= self._max_queued:
                raise StatusError(
                    Code.RESOURCE_EXHAUSTED,
                    "The batch scheduling queue to which this task was submitted is "
                    f"full ({self._max_queued} requests). Try again later.",
                )
            self._queue.append(task)
            # A thread that may not start is not woken: it would take the interpreter.
            if self._next() is not None:
                self._wakeup.notify()

    def close(self) -> None:
        """Finishes what is queued, then ends the threads."""
        with self._wakeup:
            self._closed = True
            self._wakeup.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._wakeup:
                while (place := self._next()) is None:
                    if self._closed and not self._queue:
                        return
                    self._wakeup.wait()
                tasks = self._take(place)
                self._running += tasks[:1]
                if self._next() is not None:
                    self._wakeup.notify()
            if tasks:
                self._deliver(tasks, self._run(tasks))
                with self._wakeup:
                    self._running.remove(tasks[0])

    def _next(self) -> int | None:
        """Place in the queue of what is to start now; None: let it grow."""
        waiting = len(self._queue)
        if len(self._running) < self._eager or waiting >= HELP_AT or self._closed:
            return 0 if waiting else None
        for place, task in enumerate(self._queue):
            if not any(task.joins(running) for running in self._running):
                return place
        return None

    def _take(self, place: int) -> list[Task]:
        """The task at a place of the queue, and those that may share its batch."""
        first = self._queue[place]
        del self._queue[place]
        if first.cancelled:
            self._loop.call_soon_threadsafe(first.done, None, _CANCELLED)
            return []
        tasks = [first]
        if first.rows == 0 or not self._queue:
            return tasks
        rows = first.rows
        passed_over = []
        while self._queue and rows < self._max_rows:
            task = self._queue.popleft()
            fits = task.joins(first) and rows + task.rows <= self._max_rows
            if task.cancelled:
                self._loop.call_soon_threadsafe(task.done, None, _CANCELLED)
            elif fits:
                tasks.append(task)
                rows += task.rows
            else:
                passed_over.append(task)
        self._queue.extendleft(reversed(passed_over))
        return tasks

    def _run(self, tasks: list[Task]) -> list[list[np.ndarray] | StatusError]:
        signature = tasks[0].signature
        started = time.perf_counter()
        try:
            requests = [task.feeds for task in tasks]
            outputs = signature.run(batching.join(signature.plan, requests))
            rows = [task.rows for task in tasks]
            answers = batching.split(signature.plan, requests, rows, outputs)
        except Exception as error:  # a bad request, or a batch with one in it
            if len(tasks) == 1:
                return [from_exception(error)]
            answers = None
        if self._observe:
            self._observe(sum(t.rows for t in tasks), time.perf_counter() - started)
        if answers is None:  # one request must not fail another: each one alone
            return [self._run([task])[0] for task in tasks]
        return list(answers)

    def _deliver(
        self, tasks: list[Task], results: Sequence[list[np.ndarray] | StatusError]
    ) -> None:
        try:
            self._loop.call_soon_threadsafe(_finish, tasks, results)
        except RuntimeError:  # the loop is closed: nobody is left to hear
            return


_CANCELLED = StatusError(Code.CANCELLED, "The caller went away.")


def _finish(
    tasks: list[Task], results: Sequence[list[np.ndarray] | StatusError]
) -> None:
    for task, result in zip(tasks, results, strict=True):
        if isinstance(result, StatusError):
            task.done(None, result)
        else:
            task.done(result, None)
