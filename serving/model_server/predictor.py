"""From a named model's request to its outputs: what gRPC and REST share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np

from serving.model_server.executor import BatchExecutor, Task
from serving.model_server.manager import ModelManager
from serving.model_server.saved_model import LoadedModel, Signature
from serving.model_server.status import StatusError

Outputs = dict[str, np.ndarray]
Answer = Callable[[Outputs | None, StatusError | None], None]


class Predictor:
    """Runs requests on loaded models; a version in use is not closed."""

    def __init__(self, manager: ModelManager, executor: BatchExecutor) -> None:
        self.manager = manager
        self._executor = executor
        self.in_flight = 0

    def submit(
        self,
        loaded: LoadedModel,
        signature: Signature,
        feeds: list[np.ndarray],
        answer: Answer,
    ) -> Task:
        """Starts a request; calls `answer` once, on the loop, and releases `loaded`.

        Raises:
          StatusError: the queue is full; `loaded` is released then too.
        """

        def done(values: list[np.ndarray] | None, error: StatusError | None) -> None:
            self.in_flight -= 1
            self.manager.release(loaded)
            if values is None:
                answer(None, error)
            else:
                answer(dict(zip(signature.outputs, values, strict=True)), None)

        task = Task(signature, feeds, done)
        try:
            self._executor.submit(task)
            self.in_flight += 1
        except StatusError:
            self.manager.release(loaded)
            raise
        return task

    async def run(
        self, loaded: LoadedModel, signature: Signature, feeds: list[np.ndarray]
    ) -> Outputs:
        """The outputs of a request; releases `loaded`.

        Raises:
          StatusError: the request fails, alone.
        """
        future: asyncio.Future[Outputs] = asyncio.get_running_loop().create_future()

        def answer(outputs: Outputs | None, error: StatusError | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            elif outputs is not None:
                future.set_result(outputs)

        task = self.submit(loaded, signature, feeds, answer)
        try:
            return await future
        except asyncio.CancelledError:
            task.cancelled = True
            raise
