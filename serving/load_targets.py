"""Connections of the load generator: HTTP/1.1 and gRPC, both by hand."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import uvloop

from serving.load_http2 import UnaryCalls

Send = Callable[[bytes], Awaitable[bool]]  # True for a good answer
Close = Callable[[], Awaitable[None]]
Result = TypeVar("Result")

PREDICT = "/tensorflow.serving.PredictionService/Predict"


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Runs on uvloop."""
    uvloop.install()
    return asyncio.run(work)


async def connect(
    protocol: str, host: str, port: int, path: str, connections: int
) -> tuple[Send, Close]:
    """(send, close): `send` takes a payload and waits for its answer."""
    if protocol == "rest":
        return await _connect_rest(host, port, path, connections)
    return await _connect_grpc(host, port)


class _HttpConnection(asyncio.Protocol):
    """One request at a time on a kept connection."""

    def __init__(self) -> None:
        self._transport: Any = None
        self._buffer = b""
        self._waiter: asyncio.Future[bool] | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(False)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        if len(body) < length:
            return
        good = self._buffer.startswith(b"HTTP/1.1 200")
        self._buffer = b""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(good)

    def send(self, data: bytes) -> asyncio.Future[bool]:
        self._waiter = asyncio.get_running_loop().create_future()
        if self._transport.is_closing():
            self._waiter.set_result(False)
        else:
            self._transport.write(data)
        return self._waiter

    def close(self) -> None:
        self._transport.close()


async def _connect_rest(
    host: str, port: int, path: str, connections: int
) -> tuple[Send, Close]:
    loop = asyncio.get_running_loop()
    opened = [
        (await loop.create_connection(_HttpConnection, host, port))[1]
        for _ in range(connections)
    ]
    free = collections.deque(opened)
    waiting: collections.deque[asyncio.Future[None]] = collections.deque()
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: ".encode()

    async def send(payload: bytes) -> bool:
        while not free:
            turn: asyncio.Future[None] = loop.create_future()
            waiting.append(turn)
            await turn
        connection = free.popleft()
        try:
            return await connection.send(
                b"%s%d\r\n\r\n%s" % (head, len(payload), payload)
            )
        finally:
            free.append(connection)
            if waiting:
                waiting.popleft().set_result(None)

    async def close() -> None:
        for connection in opened:
            connection.close()

    return send, close


async def _connect_grpc(host: str, port: int) -> tuple[Send, Close]:
    def make() -> UnaryCalls:
        return UnaryCalls(host, PREDICT)

    _, calls = await asyncio.get_running_loop().create_connection(make, host, port)
    await calls.ready

    async def close() -> None:
        calls.close()

    return calls.call, close
