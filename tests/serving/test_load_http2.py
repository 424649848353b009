"""The load generator's own HTTP/2 against gRPC's server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import pytest

from core.errors import ServingError
from serving.load_http2 import UnaryCalls

METHOD = "/souk.test.Echo/Call"
FAIL, HANG = b"fail", b"hang"
# More than one frame, and four of them more than a connection's first window.
LARGE = 20_000

Work = Callable[[UnaryCalls, Any], Awaitable[Any]]


class Echo(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Keeps what it was asked and sends it back."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def service(self, details: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(self._call)

    async def _call(self, message: bytes, context: Any) -> bytes:
        self.asked.append(message)
        if message == FAIL:
            await context.abort(grpc.StatusCode.NOT_FOUND, "none")
        if message == HANG:
            await asyncio.sleep(60)
        return message


def connected(work: Work) -> tuple[Any, Echo]:
    """What `work(calls, server)` returns, and the server's handler."""
    echo = Echo()

    async def run() -> Any:
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((echo,))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        loop = asyncio.get_running_loop()
        _, calls = await loop.create_connection(
            lambda: UnaryCalls("127.0.0.1", METHOD), "127.0.0.1", port
        )
        await calls.ready
        try:
            return await asyncio.wait_for(work(calls, server), 30)
        finally:
            calls.close()
            await server.stop(0)

    return asyncio.run(run()), echo


def test_many_calls_of_several_frames_arrive_whole() -> None:
    messages = [bytes([number]) * LARGE for number in range(200)]

    async def work(calls: UnaryCalls, server: Any) -> list[bool]:
        return await asyncio.gather(*(calls.call(message) for message in messages))

    answers, echo = connected(work)

    assert answers == [True] * len(messages)
    assert sorted(echo.asked) == messages


def test_an_empty_answer_is_good() -> None:
    async def work(calls: UnaryCalls, server: Any) -> bool:
        return await calls.call(b"")

    assert connected(work)[0] is True


def test_a_failed_call_is_not_good_and_the_others_are() -> None:
    async def work(calls: UnaryCalls, server: Any) -> list[bool]:
        asked = (b"before", FAIL, b"after")
        return await asyncio.gather(*(calls.call(message) for message in asked))

    assert connected(work)[0] == [True, False, True]


def test_calls_of_a_server_that_goes_away_are_not_good() -> None:
    async def work(calls: UnaryCalls, server: Any) -> list[bool]:
        under_way = calls.call(HANG)
        await calls.call(b"in order")
        await server.stop(0)
        first = await under_way
        while not calls._transport.is_closing():
            await asyncio.sleep(0.01)
        return [first, await calls.call(b"too late")]

    assert connected(work)[0] == [False, False]


def test_a_request_beyond_a_window_is_refused() -> None:
    async def work(calls: UnaryCalls, server: Any) -> None:
        calls.call(bytes(100_000))

    with pytest.raises(ServingError, match="65535"):
        connected(work)
