"""The load generator's gRPC calls: HTTP/2 frames by hand.

A gRPC channel takes twice an HTTP/1.1 connection's processor time for a call, on
the cores of the server under load. Unary calls of one method need little of HTTP/2 (RFC
9113): one frame of literal headers and the data, and answers told apart by stream.
Headers of answers are not read: a call that fails has no message.
"""

from __future__ import annotations

import asyncio
import collections
import enum
import struct
from typing import Any

from core.errors import ServingError

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_END_STREAM, _ACK, _END_HEADERS = 0x1, 0x1, 0x4
_ENABLE_PUSH, _INITIAL_WINDOW = 0x2, 0x4  # settings
_HEAD = struct.Struct(">BHBBI")  # 24 bits of length, kind, flags, stream
_SETTING = struct.Struct(">HI")
_WORD = struct.Struct(">I")
_MAX_FRAME = 16_384
_DEFAULT_WINDOW = 65_535
_MAX_WINDOW = 2**31 - 1
# Bytes of answers after which the server is told that it may send as many again.
_RENEW_AFTER = 2**28


class Kind(enum.IntEnum):
    """Frames (RFC 9113, 6)."""

    DATA = 0x0
    HEADERS = 0x1
    RST_STREAM = 0x3
    SETTINGS = 0x4
    PING = 0x6
    GOAWAY = 0x7
    WINDOW_UPDATE = 0x8


class UnaryCalls(asyncio.Protocol):
    """Calls of one method on one connection; wait for `ready` before the first."""

    def __init__(self, host: str, method: str) -> None:
        headers = {
            ":method": "POST",
            ":scheme": "http",
            ":path": method,
            ":authority": host,
            "te": "trailers",
            "content-type": "application/grpc",
        }
        self._headers = b"".join(_literal(*each) for each in headers.items())
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: Any = None
        self._buffer = b""
        self._next_stream = 1
        self._answers: dict[int, asyncio.Future[bool]] = {}
        self._good: set[int] = set()  # streams whose message has come
        self._unsent: collections.deque[tuple[int, bytes]] = collections.deque()
        # What the server takes: of one stream, and of all together for now.
        self._stream_window = _DEFAULT_WINDOW
        self._window = _DEFAULT_WINDOW
        self._received = 0

    def call(self, message: bytes) -> asyncio.Future[bool]:
        """Sends a serialized request; True for a good answer.

        Raises:
          ServingError: the server does not take so much at once.
        """
        data = struct.pack(">?I", False, len(message)) + message  # not compressed
        if len(data) > min(self._stream_window, _DEFAULT_WINDOW):
            raise ServingError(
                f"A request of the load must have fewer than {_DEFAULT_WINDOW} bytes. "
                f"Received: {len(message)}."
            )
        answer = asyncio.get_running_loop().create_future()
        if self._transport.is_closing():
            answer.set_result(False)
            return answer
        self._answers[self._next_stream] = answer
        self._unsent.append((self._next_stream, data))
        self._next_stream += 2
        self._send()
        return answer

    def close(self) -> None:
        self._transport.close()

    # asyncio's side

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        settings = {_ENABLE_PUSH: 0, _INITIAL_WINDOW: _MAX_WINDOW}
        packed = b"".join(_SETTING.pack(*each) for each in settings.items())
        more = _WORD.pack(_MAX_WINDOW - _DEFAULT_WINDOW)
        transport.write(
            _PREFACE
            + _frame(Kind.SETTINGS, 0, 0, packed)
            + _frame(Kind.WINDOW_UPDATE, 0, 0, more)
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(ServingError("The server closed the connection."))
        for stream in list(self._answers):
            self._finish(stream, good=False)

    def data_received(self, data: bytes) -> None:
        buffer, at = self._buffer + data, 0
        while len(buffer) - at >= _HEAD.size:
            high, low, kind, flags, stream = _HEAD.unpack_from(buffer, at)
            start = at + _HEAD.size
            end = start + (high << 16 | low)
            if len(buffer) < end:
                break
            self._take(kind, flags, stream, buffer[start:end])
            at = end
        self._buffer = buffer[at:]

    # HTTP/2's side

    def _send(self) -> None:
        """Sends the calls that the server's window has room for."""
        while self._unsent and len(self._unsent[0][1]) <= self._window:
            stream, data = self._unsent.popleft()
            self._window -= len(data)
            frames = [_frame(Kind.HEADERS, _END_HEADERS, stream, self._headers)]
            for start in range(0, len(data), _MAX_FRAME):
                part = data[start : start + _MAX_FRAME]
                is_last = start + _MAX_FRAME >= len(data)
                flags = _END_STREAM if is_last else 0
                frames.append(_frame(Kind.DATA, flags, stream, part))
            self._transport.write(b"".join(frames))

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == Kind.DATA:
            self._good.add(stream)
            self._renew(len(payload))
        if kind in (Kind.DATA, Kind.HEADERS):
            if flags & _END_STREAM:
                self._finish(stream, good=stream in self._good)
        elif kind == Kind.WINDOW_UPDATE and stream == 0:
            self._window += _WORD.unpack(payload)[0]
            self._send()
        elif kind == Kind.PING and not flags & _ACK:
            self._transport.write(_frame(Kind.PING, _ACK, 0, payload))
        elif kind == Kind.SETTINGS and not flags & _ACK:
            settings = dict(_SETTING.iter_unpack(payload))
            self._stream_window = settings.get(_INITIAL_WINDOW, self._stream_window)
            self._transport.write(_frame(Kind.SETTINGS, _ACK, 0))
            if not self.ready.done():
                self.ready.set_result(None)
        elif kind == Kind.RST_STREAM:
            self._finish(stream, good=False)
        elif kind == Kind.GOAWAY:
            self._transport.close()

    def _finish(self, stream: int, *, good: bool) -> None:
        self._good.discard(stream)
        answer = self._answers.pop(stream, None)
        if answer is not None and not answer.done():
            answer.set_result(good)

    def _renew(self, size: int) -> None:
        self._received += size
        if self._received >= _RENEW_AFTER:
            more = _WORD.pack(self._received)
            self._transport.write(_frame(Kind.WINDOW_UPDATE, 0, 0, more))
            self._received = 0


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """RFC 9113, 4.1."""
    size = len(payload)
    return _HEAD.pack(size >> 16, size & 0xFFFF, kind, flags, stream) + payload


def _literal(name: str, value: str) -> bytes:
    """RFC 7541, 6.2.2: a header of texts below 127 bytes, kept in no table."""
    texts = (name.encode(), value.encode())
    return b"\x00" + b"".join(bytes([len(text)]) + text for text in texts)
