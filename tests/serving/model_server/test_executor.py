"""Batches grow while one runs; a failing request fails alone; the queue is bounded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from serving.model_server import batching
from serving.model_server.executor import HELP_AT, BatchExecutor, Task
from serving.model_server.status import Code, StatusError
from tests.serving.model_server.test_batching import Spec


class Doubling:
    """A signature y = 2 x that notes its batches, and refuses negative values.

    `started` has each batch's size from its start, `batches` from when it may run.
    """

    def __init__(self) -> None:
        self.plan = batching.plan({"x": Spec((None,))}, {"y": Spec((None,))})
        self.started: list[int] = []
        self.batches: list[int] = []
        self.may_run = threading.Event()

    def run(self, feeds: list[np.ndarray]) -> list[np.ndarray]:
        self.started.append(len(feeds[0]))
        assert self.may_run.wait(10)
        self.batches.append(len(feeds[0]))
        if (feeds[0] < 0).any():
            raise ValueError("negative")
        return [feeds[0] * 2]


Answer = tuple[Any, Any]


def answers_of(
    signature: Doubling,
    values: list[list[int]],
    *,
    max_rows: int = 32,
    between: Callable[[list[Task]], None] = lambda tasks: None,
) -> list[Answer]:
    """Submits all values while the executor is held, then lets it go."""

    async def scenario() -> list[Answer]:
        loop = asyncio.get_running_loop()
        executor = BatchExecutor(loop=loop, max_rows=max_rows)
        futures: list[asyncio.Future[Answer]] = []
        tasks = []
        for value in values:
            future: asyncio.Future[Answer] = loop.create_future()

            def done(outputs: Any, error: Any, future: Any = future) -> None:
                future.set_result((outputs, error))

            task = Task(signature, [np.array(value)], done)  # type: ignore[arg-type]
            tasks.append(task)
            executor.submit(task)
            futures.append(future)
            if len(futures) == 1:
                await asyncio.sleep(0.05)  # the first one is running by now
        between(tasks)
        signature.may_run.set()
        found = await asyncio.gather(*futures)
        await loop.run_in_executor(None, executor.close)
        return list(found)

    return asyncio.run(scenario())


def test_what_waits_runs_together() -> None:
    signature = Doubling()

    answers = answers_of(signature, [[1], [2], [3], [4, 5]])

    assert [a[0][0].tolist() for a in answers] == [[2], [4], [6], [8, 10]]
    assert signature.batches == [1, 4]  # the first alone, then all that waited


def test_batches_stay_below_the_limit_of_rows() -> None:
    signature = Doubling()

    answers_of(signature, [[1]] * 8, max_rows=3)

    assert signature.batches == [1, 3, 3, 1]


def test_a_failing_request_fails_alone() -> None:
    signature = Doubling()

    answers = answers_of(signature, [[1], [2], [-3], [4]])

    assert [a[0] and a[0][0].tolist() for a in answers] == [[2], [4], None, [8]]
    assert answers[2][1].code == Code.INTERNAL
    assert "negative" in answers[2][1].message


def test_a_request_whose_caller_left_is_not_run() -> None:
    signature = Doubling()

    def leave(tasks: list[Task]) -> None:
        tasks[1].cancelled = True

    answers = answers_of(signature, [[1], [2], [3]], between=leave)

    assert answers[1][1].code == Code.CANCELLED
    assert signature.batches == [1, 1]


def started_beside(
    running: Doubling, others: list[Doubling], *, num_threads: int, batches: int
) -> list[list[int]]:
    """Batches of `running` and of `others` that start while its first is held.

    Waits until there are so many `batches` in all, and a little for more.
    """
    signatures = list(dict.fromkeys([running, *others]))

    async def until(count: int) -> None:
        deadline = asyncio.get_running_loop().time() + 10
        while sum(len(s.started) for s in signatures) < count:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.01)

    async def scenario() -> list[list[int]]:
        loop = asyncio.get_running_loop()
        executor = BatchExecutor(loop=loop, num_threads=num_threads)

        def submit(signature: Doubling) -> None:
            task = Task(signature, [np.array([1])], lambda *answer: None)  # type: ignore[arg-type]
            executor.submit(task)

        submit(running)
        await until(1)
        for signature in others:
            submit(signature)
        try:
            await until(batches)
            await asyncio.sleep(0.05)
            return [list(s.started) for s in signatures]
        finally:
            for signature in signatures:
                signature.may_run.set()
            await loop.run_in_executor(None, executor.close)

    return asyncio.run(scenario())


def test_a_second_thread_helps_only_where_many_wait() -> None:
    few, many = Doubling(), Doubling()

    found = started_beside(few, [few] * (HELP_AT - 1), num_threads=2, batches=1)
    assert found == [[1]]
    # What waited beside the few ran as one batch after them.
    assert few.started == [1, HELP_AT - 1]
    found = started_beside(many, [many] * HELP_AT, num_threads=2, batches=2)
    assert found == [[1, HELP_AT]]


def test_half_of_the_threads_start_at_once() -> None:
    signature = Doubling()

    found = started_beside(signature, [signature], num_threads=4, batches=2)
    assert found == [[1, 1]]


def test_another_kind_does_not_wait_for_a_running_batch() -> None:
    slow, other = Doubling(), Doubling()

    found = started_beside(slow, [slow, other, slow], num_threads=2, batches=2)
    assert found == [[1], [1]]
    assert slow.started == [1, 2]


def test_a_full_queue_refuses() -> None:
    signature = Doubling()

    async def scenario() -> None:
        executor = BatchExecutor(loop=asyncio.get_running_loop(), max_queued=2)
        done = asyncio.Event()

        def task() -> Task:
            return Task(  # type: ignore[arg-type]
                signature, [np.array([1])], lambda outputs, error: done.set()
            )

        executor.submit(task())
        await asyncio.sleep(0.05)
        executor.submit(task())
        executor.submit(task())
        with pytest.raises(StatusError) as refusal:
            executor.submit(task())
        assert refusal.value.code == Code.RESOURCE_EXHAUSTED
        assert refusal.value.http_status == 503
        signature.may_run.set()
        await asyncio.get_running_loop().run_in_executor(None, executor.close)
        with pytest.raises(StatusError) as closed:
            executor.submit(task())
        assert closed.value.code == Code.UNAVAILABLE

    asyncio.run(scenario())


def test_a_request_of_several_rows_does_not_exceed_the_limit():
    signature = Doubling()
    answers_of(signature, [[1], [2, 2], [3, 3]], max_rows=3)
    assert signature.batches == [1, 2, 2]


def test_what_was_passed_over_keeps_its_order():
    signature = Doubling()
    answers_of(signature, [[1], [2, 2], [3, 3], [4, 4, 4]], max_rows=3)
    assert signature.batches == [1, 2, 2, 3]
